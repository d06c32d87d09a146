// What pages do beside links: send forms to the API with the token of this session, and copy.
"use strict";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

/** A change, as the API takes it: JSON, and the token that another site cannot know. */
async function send(method, address, fields) {
  const reply = await fetch(address, {
    method,
    headers: { "x-csrf-token": meta("csrf"), ...(fields && { "content-type": "application/json" }) },
    body: fields && JSON.stringify(fields),
    credentials: "same-origin",
  });
  const text = await reply.text();
  let answer = {};
  try { answer = text ? JSON.parse(text) : {}; } catch { answer = { problem: text }; }
  if (!reply.ok) throw new Error(answer.detail ?? answer.problem ?? answer.message ?? `HTTP ${reply.status}`);
  return answer;
}

const fieldsOf = (form) => {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  return Object.keys(fields).length || form.dataset.fields !== undefined ? fields : undefined;
};

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-method]");
  if (!form) return;
  event.preventDefault();
  const status = form.querySelector("[role=status]"), button = form.querySelector("button:not([type=button])");
  button.disabled = true;
  if (status) status.textContent = "";
  try {
    const answer = await send(form.dataset.method, form.action, fieldsOf(form));
    form.dispatchEvent(new CustomEvent("sent", { detail: answer, bubbles: true }));
    if (form.dataset.then === "stay") { if (status) status.textContent = form.dataset.done ?? ""; button.disabled = false; }
    else if (form.dataset.then) location.assign(form.dataset.then);
    else location.reload();
  } catch (error) {
    if (status) status.textContent = error.message;
    button.disabled = false;
    button.focus();
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.copied;
});
