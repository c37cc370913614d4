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

  for (const form of document.querySelectorAll(".sheet form")) follow(form);
})();
