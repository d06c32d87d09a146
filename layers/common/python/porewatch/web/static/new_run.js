// A new run: however often it is sent, it is registered once.
"use strict";

document.getElementById("new-run")?.addEventListener("sent", (event) => {
  const form = event.currentTarget;
  location.assign(`${form.dataset.pages}${event.detail.run_id}/upload`);
});
