/* While an execution's page follows it: parts of it are put anew under the person's hands. Folds
   stay as they are, the focus stays, and what one looks at stays where it is. Pages do without
   this file. */

"use strict";
(() => {
  const FOCUSABLE = "a[href], button, summary, input, textarea, [tabindex]";
  const within = (place, what) => [place, ...place.querySelectorAll(what)].filter((one) => one.matches(what));

  /* Whoever marks words or has a sheet open is let finish; the next answer says the same and more. */
  const isBusy = () => document.querySelector(".sheet:popover-open") || !getSelection().isCollapsed;

  let looked = null; /* where what is looked at stood */

  function atHand() {
    const hovered = [...document.querySelectorAll("#content :hover")].at(-1);
    const seen = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
    return (hovered ?? seen)?.closest("#content [id]");
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target.id === "follow" && isBusy()) event.preventDefault();
  });

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.id !== "follow") return;
    if (isBusy()) detail.shouldSwap = false;
    const place = atHand();
    looked = place && { id: place.id, top: place.getBoundingClientRect().top };
  });

  let focused = -1; /* which of what takes the focus had it, in the part that is put anew */

  document.addEventListener("htmx:oobBeforeSwap", ({ detail: { target, fragment } }) => {
    focused = within(target, FOCUSABLE).indexOf(document.activeElement);
    const before = within(target, "details");
    const now = fragment.matches?.("details") ? within(fragment, "details") : [];
    for (const [place, fold] of now.entries()) {
      if (before[place]) fold.open = before[place].open;
    }
  });

  document.addEventListener("htmx:oobAfterSwap", ({ detail: { target } }) => {
    const place = document.getElementById(target.id);
    if (focused >= 0 && place) within(place, FOCUSABLE)[focused]?.focus({ preventScroll: true });
    focused = -1;
  });

  document.addEventListener("htmx:afterSwap", ({ target }) => {
    const place = target.id === "follow" && looked && document.getElementById(looked.id);
    if (place) scrollBy(0, place.getBoundingClientRect().top - looked.top);
  });
})();
