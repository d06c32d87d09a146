// What pages do beside links: send forms to the API with the token of this session, and copy.
"use strict";

const LONGEST_ANSWER = 60_000;

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

/** A change, as the API takes it: JSON (or text), and the token that another site cannot know. An error has the `status`
 * and the `answer` of the API; without a status there was no answer at all. */
async function send(method, address, fields, headers) {
  const reply = await fetch(address, {
    method,
    headers: { "x-csrf-token": meta("csrf"), "accept-language": document.documentElement.lang, ...(fields && { "content-type": "application/json" }), ...headers },
    body: typeof fields === "string" ? fields : fields && JSON.stringify(fields),
    credentials: "same-origin",
    signal: AbortSignal.timeout(LONGEST_ANSWER),
  });
  const text = await reply.text();
  let answer = {};
  try { answer = text ? JSON.parse(text) : {}; } catch { answer = { problem: text }; }
  if (!reply.ok) {
    if (answer.upgrade) document.getElementById("upgrade")?.removeAttribute("hidden");  // the page says what it would allow
    const said = [answer.detail ?? answer.problem ?? answer.message ?? `HTTP ${reply.status}`, answer.remedy];
    throw Object.assign(new Error(said.filter(Boolean).join(" ")), { status: reply.status, answer });
  }
  return answer;
}

const fieldsOf = (form) => {
  const fields = {}, lists = (form.dataset.lists ?? "").split(" ").filter(Boolean), kept = form.dataset.empty;
  for (const name of lists) fields[name] = [];
  if (form.dataset.group) fields[form.dataset.group] = {};  // of inputs named `group.field`
  for (const [name, value] of new FormData(form)) {
    const input = form.elements[name];
    if (lists.includes(name)) fields[name].push(value);
    else if (value === "" && name !== kept) continue;
    else {
      const [group, inner] = name.split(".");
      (inner ? fields[group] : fields)[inner ?? name] = value === "" ? null : input.type === "number" ? Number(value) : input.dataset?.flag !== undefined ? value === "true" : value;
    }
  }
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
    if (form.dataset.once === "") form.dataset.once = crypto.randomUUID();
    const once = form.dataset.once && { "idempotency-key": form.dataset.once };
    const answer = await send(form.dataset.method, form.action, fieldsOf(form), once);
    form.dispatchEvent(new CustomEvent("sent", { detail: answer, bubbles: true }));
    if (form.dataset.shows) show(form, answer[form.dataset.shows]);
    if (form.dataset.goes) location.assign(answer[form.dataset.goes]);
    else if (form.dataset.leads) location.assign(meta("root") + answer[form.dataset.leads].slice(1));
    else if (form.dataset.then === "stay") { if (status) status.textContent = form.dataset.done ?? ""; button.disabled = false; }
    else if (form.dataset.then) location.assign(form.dataset.then);
    else location.reload();
  } catch (error) {
    if (error.status < 500 && form.dataset.once) form.dataset.once = "";  // answered: what is sent next is another request
    if (status) status.textContent = error.message;
    button.disabled = false;
    button.focus();
  }
});

/** What the API answers once and never again: a secret, or the path of a link. */
function show(form, text) {
  const shown = form.querySelector(".shown");
  const whole = text.startsWith("/") ? new URL(meta("root") + text.slice(1), location.href).href : text;
  shown.querySelector("code").textContent = shown.querySelector("button").dataset.copy = whole;
  shown.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.copied;
});
