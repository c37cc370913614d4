/* Keys for whoever works without a mouse. Pages do without this file: a key only presses what is
   there to be pressed. A person can turn it off on their own page; then it is not loaded at all.

   In templates:
     data-key="e"       this key follows the link, presses the button, goes to the field or opens
                        the popover
     data-key="g q"     these two, one after the other
     data-row           on what is one row of a list: two keys go from row to row, to the first link
                        or box to tick in each. Keys inside a row count only while the row is the
                        one at hand, that is, has the focus.
     data-send          on a submit button whose key may press it at once. Without it the key only
                        goes to the button: one stroke never sends a form, and so decides nothing.
     data-with-keys     with `hidden`: shown only where keys work

   Which key is whose stands in agentops/accounts/keys.py; templates have the person's own, and the
   help has those to the next row and the one before. */

"use strict";
(() => {
  const LETTERS_GO_INTO = "input:not([type=radio], [type=checkbox]), textarea, select";
  const SECOND_STROKE_MS = 1500;
  const { down, up } = document.getElementById("keys").dataset;
  const PLACE = `row at hand of ${location.pathname}`;
  let first = "";
  let firstAt = 0;

  const rows = () => [...document.querySelectorAll("[data-row]")];
  const headOf = (row) => row.querySelector("a[href], input");
  const rowAtHand = () => document.activeElement?.closest("[data-row]");
  const openSheet = () => document.querySelector(":popover-open:not([popover=manual])");

  function move(by) {
    const every = rows();
    let at = every.indexOf(rowAtHand());
    if (at < 0) at = returnedTo(every, by);
    const row = every[Math.min(Math.max(at + by, 0), every.length - 1)];
    if (!row) return;
    headOf(row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  /* The row before the one to go to: that of the last visit, if this list was left through one. */
  function returnedTo(every, by) {
    const [href, at] = JSON.parse(sessionStorage.getItem(PLACE)) ?? [];
    const again = every.findIndex((row) => href && headOf(row)?.pathname === href);
    return again >= 0 ? again - by : at >= 0 ? at - by : -1;
  }

  function remember(event) {
    const row = event.target.closest?.("[data-row]");
    if (!row || !event.target.closest("a[href], button")) return;
    sessionStorage.setItem(PLACE, JSON.stringify([headOf(row)?.pathname, rows().indexOf(row)]));
  }

  function bound(key) {
    const row = rowAtHand();
    return [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((one) => {
      const its = one.closest("[data-row]");
      return (!its || its === row) && !one.disabled && (one.popover || one.checkVisibility());
    });
  }

  function press(one) {
    const sends = one.form && one.type === "submit" && !one.popoverTargetElement;
    if (one.popover) {
      one.showPopover();
    } else if (one.matches("input, textarea, select, summary") || (sends && !("send" in one.dataset))) {
      one.focus();
      one.scrollIntoView({ block: "nearest" });
    } else {
      one.click();
    }
  }

  /* The letter pressed now, with the one before it if both together are a key here. */
  function stroke(key) {
    const both = `${first} ${key}`;
    const isSecond = Date.now() - firstAt < SECOND_STROKE_MS;
    first = isSecond ? "" : key;
    firstAt = isSecond ? 0 : Date.now();
    return (isSecond && bound(both)) || bound(key);
  }

  function confirm(event) {
    const form = document.activeElement?.closest("form") ?? openSheet()?.querySelector("form");
    const button = form?.querySelector("button:is(.go, .stop):not([type=button])");
    if (!button) return;
    event.preventDefault();
    form.requestSubmit(button);
  }

  function onKey(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (!event.repeat) confirm(event);
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || openSheet()) return;
    if (event.target.closest(LETTERS_GO_INTO) || event.target.isContentEditable) return;
    if (event.key === down || event.key === up) {
      if (!rows().length) return;
      event.preventDefault();
      move(event.key === down ? 1 : -1);
      return;
    }
    if (event.key.length !== 1 || event.key === " " || event.repeat) return;
    const one = stroke(event.key);
    if (!one) return;
    event.preventDefault();
    first = "";
    press(one);
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", remember);
  document.documentElement.dataset.keys = "on";
  for (const one of document.querySelectorAll("[data-key]:not([data-row] *, [data-key*=' '])")) {
    one.setAttribute("aria-keyshortcuts", one.dataset.key.replace("+", "plus"));
  }
  for (const one of document.querySelectorAll("[data-with-keys]")) one.hidden = false;
})();
