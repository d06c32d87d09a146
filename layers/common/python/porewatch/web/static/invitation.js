// The secret of an invitation: from the link to this tab's own store, over the sign-in, to a header.
"use strict";
{
  const KEPT = "porewatch-invitation", place = document.getElementById("invitation");
  const look = (secret) => htmx.ajax("GET", place.dataset.part, { target: place, swap: "innerHTML", headers: { "x-invitation": secret } });

  const come = () => {
    if (location.hash.length > 1 && location.hash !== "#main") {
      sessionStorage.setItem(KEPT, location.hash.slice(1));
      history.replaceState(null, "", location.pathname);
    }
    const secret = sessionStorage.getItem(KEPT);
    if (secret && place.dataset.part) look(secret);
  };

  place.addEventListener("submit", (event) => {
    const code = event.target.querySelector("input.code");
    if (!code) return;
    event.preventDefault();
    const secret = code.value.trim().replace(/^.*#/, "");  // a whole link will do
    sessionStorage.setItem(KEPT, secret);
    look(secret);
  });
  document.addEventListener("sent", () => sessionStorage.removeItem(KEPT));
  window.addEventListener("hashchange", come);
  come();
}
