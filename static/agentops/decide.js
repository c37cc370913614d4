/* What the desk's sheets say while one decides. Pages do without this file. */

"use strict";
(() => {
  /* In the sheet that rejects: the words as the agent will read them. */
  function follow(form) {
    const heard = form.querySelector("[data-heard]");
    if (!heard) return;
    const before = heard.textContent;
    form.addEventListener("input", () => {
      const sent = new FormData(form);
      const canned = sent.get("canned");
      const own = sent.get("reason").trim();
      heard.textContent = [canned && `${canned}.`, own].filter(Boolean).join(" ") || before;
    });
    form.dispatchEvent(new Event("input"));
  }

  /* Until a moment by the server's clock: seconds left, without moving the focus. */
  function countDown(timer) {
    const { until, now } = timer.dataset;
    const ahead = Number(now) - Date.now();
    const bar = timer.closest(".notice").querySelector("progress.left");
    const ticking = setInterval(tick, 250);
    tick();
    function tick() {
      if (!timer.isConnected) return clearInterval(ticking);
      const left = Math.max(Number(until) - Date.now() - ahead, 0) / 1000;
      timer.textContent = Math.ceil(left);
      if (bar) bar.value = left;
    }
  }

  function countDowns(within) {
    for (const timer of within.querySelectorAll("[data-until]")) countDown(timer);
  }

  /* What is followed to its end is put anew; whoever was in it, at a button that is gone, stays. */
  function stayIn(id, before, after) {
    let wasInside = false;
    document.addEventListener(before, ({ detail: { target } }) => {
      wasInside = target.id === id && target.contains(document.activeElement);
    });
    document.addEventListener(after, ({ detail: { target } }) => {
      if (wasInside && target.id === id) document.getElementById(id).focus({ preventScroll: true });
    });
  }

  stayIn("outcome", "htmx:beforeSwap", "htmx:afterSwap");
  stayIn("chips", "htmx:oobBeforeSwap", "htmx:oobAfterSwap");
  document.addEventListener("htmx:afterSwap", ({ target }) => countDowns(target));

  /* After a refusal: in the sheet one was in, at what is to be mended there. */
  const again = document.querySelector("[data-again]");
  again?.focus();
  again?.click();

  countDowns(document);
  for (const form of document.querySelectorAll(".sheet form")) follow(form);
})();
