/* Says in time that the login is about to end, and lets the person stay. It asks before it speaks:
   work in another tab has prolonged the login of this one too. */

"use strict";
(() => {
  const note = document.getElementById("stay");
  if (!note) return;
  const LONGEST_MS = 2 ** 31 - 1;
  let timer = 0;

  const warnAt = (leftS) => {
    note.hidePopover();
    clearTimeout(timer);
    timer = setTimeout(look, Math.min((leftS - Number(note.dataset.warn)) * 1000, LONGEST_MS));
  };

  function speak(leftS) {
    note.classList.toggle("over", leftS <= 0);
    note.showPopover(); /* above a sheet, and without taking the focus */
    clearTimeout(timer);
    if (leftS > 0) timer = setTimeout(look, leftS * 1000);
  }

  async function ask(how) {
    try {
      const answer = await fetch(note.action, { redirect: "manual", ...how });
      const leftS = answer.ok ? (await answer.json()).left_s : 0;
      if (leftS > Number(note.dataset.warn)) warnAt(leftS);
      else speak(leftS);
    } catch {
      timer = setTimeout(look, 30_000); /* the site is away: nothing is known */
    }
  }

  const look = () => ask({});
  note.addEventListener("submit", (event) => {
    event.preventDefault();
    ask({ method: "POST", body: new FormData(note) });
  });
  warnAt(Number(note.dataset.left));
})();
