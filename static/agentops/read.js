/* Opening a folded part counts as having read it: its box is ticked, and approving is locked until
   all are. Without this file the boxes stand in the form; the server asks for them either way. */
(() => {
  "use strict";
  const folds = [...document.querySelectorAll("details[data-read]")];
  const boxes = [...document.querySelectorAll('input[name="read"]')];
  if (!boxes.length) return;

  const foldOf = (box) => folds.find((fold) => fold.dataset.read === box?.value);
  const left = (some) => some.filter((box) => !box.checked);
  const words = (count) => `Open ${count} folded part${count === 1 ? "" : "s"} first`;

  const show = (fold) => {
    for (let outer = fold.parentElement; outer; outer = outer.parentElement) {
      if (outer.tagName === "DETAILS") outer.open = true;
    }
    fold.scrollIntoView({ block: "center" });
    fold.querySelector("summary").focus({ preventScroll: true });
  };

  const lock = (button) => {
    const own = [...button.childNodes];
    let locked = false;
    button.addEventListener("click", (event) => {
      if (!locked) return;
      event.preventDefault();
      show(foldOf(left(boxes)[0]));
    });
    return () => {
      const missing = left(boxes).length;
      if (missing) {
        if (!locked) button.removeAttribute("popovertarget");
        button.textContent = words(missing);
      } else if (locked) {
        button.setAttribute("popovertarget", "confirm");
        button.replaceChildren(...own);
      }
      locked = missing > 0;
      button.classList.toggle("locked", locked);
    };
  };

  const hold = (pick) => {
    const mine = boxes.filter((box) => box.value.startsWith(pick.value.split(":")[0] + ":"));
    if (!mine.length) return () => {};
    const note = document.createElement("small");
    note.className = "warn";
    pick.parentElement.append(note);
    return () => {
      const missing = left(mine).length;
      if (missing) pick.checked = false;
      else if (pick.disabled) pick.checked = true;
      pick.disabled = missing > 0;
      note.textContent = missing ? words(missing) : "";
    };
  };

  const picks = [...document.querySelectorAll('input[type="checkbox"][name="seen"]')];
  const update = picks.length
    ? picks.map(hold)
    : [...document.querySelectorAll('[popovertarget="confirm"]:not([popovertargetaction])')].map(lock);
  const refresh = () => update.forEach((one) => one());

  boxes.forEach((box) => {
    const fold = foldOf(box);
    if (!fold) return; /* nothing to open: the box stays, and asks for itself */
    box.closest("label").hidden = true;
    const opened = () => {
      if (!fold.open) return;
      box.checked = true;
      fold.classList.add("opened");
      refresh();
    };
    fold.addEventListener("toggle", opened);
    opened();
  });
  document.querySelectorAll("fieldset.read").forEach((set) => {
    set.hidden = !set.querySelector("label:not([hidden])");
  });
  boxes.forEach((box) => box.addEventListener("change", refresh));
  refresh();

  /* What was refused because of a fold goes on at that fold. */
  const unread = document.querySelector("fieldset[data-fault]") && foldOf(left(boxes)[0]);
  if (unread) {
    document.querySelector(".sheet:popover-open")?.hidePopover();
    unread.querySelector("summary").setAttribute("aria-describedby", "refusal");
    show(unread);
  }
})();
