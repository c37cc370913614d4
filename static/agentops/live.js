/* What htmx does for the desk, bounded. Pages do without this file: they are then as they were
   when they were loaded. In templates: `data-poll` on what asks again and again, and `data-mark`
   on words that belong to the row `review-…` of that id. */

"use strict";
(() => {
  const polls = (event) => event.detail.elt.hasAttribute("data-poll");

  /* A page that nobody sees asks for nothing, and asks at once when it is seen again. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (polls(event) && document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const one of document.querySelectorAll("[data-poll]")) htmx.trigger(one, "seen");
  });

  /* Whoever is not logged in any more is sent elsewhere: that is not what was asked for. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const asked = new URL(requestConfig.path, location.href).pathname;
    if (new URL(xhr.responseURL).pathname !== asked) event.detail.shouldSwap = false;
  });

  function mark(words) {
    const row = document.getElementById(`review-${words.dataset.mark}`);
    const place = row?.querySelector("[data-became]");
    if (!place) return 0;
    const onIt = words.dataset.onIt;
    if (onIt && onIt === row.querySelector("[data-on-it]")?.dataset.onIt) return 0; /* it says so */
    place.textContent = words.textContent;
    place.hidden = false;
    row.classList.toggle("over", "over" in words.dataset);
    return row.classList.contains("over") ? 1 : 0;
  }

  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (!target.matches(".news")) return;
    for (const place of document.querySelectorAll("[data-row]:not(.over) [data-became]")) place.hidden = true;
    let over = 0;
    for (const words of target.querySelectorAll("[data-mark]")) over += mark(words);
    const said = target.querySelector("[data-marked]");
    if (!over || !said) return;
    said.textContent = `${over} below ${over === 1 ? "is" : "are"} decided by now. `;
    target.querySelector("[data-news]").hidden = false;
  });
})();
