// The files of a run: which are chosen, how far they are, and what became of each.
"use strict";

(() => {
  const place = document.getElementById("upload");
  if (!place) return;
  const words = JSON.parse(place.dataset.words), language = document.documentElement.lang;
  const at = (id) => document.getElementById(id);
  const SHOWN = 50, BATCH = 100, TICK = 1000, SMOOTH = 0.2, MOST_PAGES = 20;
  const ORDER = { failed: 0, refused: 0, open: 1, left_out: 1, sending: 2, waiting: 3, done: 4 };
  const SETTLED = new Set(["done", "left_out"]), TAKEN = new Set(["waiting", "sending", "done"]);
  const transfers = new Map();
  let working = false, speed = 0, before = { sent: 0, at: performance.now() }, drawn = "";

  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const unit = (number, name) => new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }).format(number);

  function size(bytes) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let step = 0;
    for (; bytes >= 1000 && step < units.length - 1; step += 1) bytes /= 1000;
    return `${new Intl.NumberFormat(language, { maximumFractionDigits: step > 1 ? 1 : 0 }).format(bytes)} ${units[step]}`;
  }

  function time(seconds) {
    const minutes = Math.round(seconds / 60);
    if (seconds < 90) return unit(Math.max(1, Math.round(seconds)), "second");
    if (minutes < 90) return unit(minutes, "minute");
    return `${unit(Math.floor(minutes / 60), "hour")} ${unit(minutes % 60, "minute")}`;
  }

  const sentOf = (one) => (one.state === "done" ? one.file.size : Object.values(one.parts ?? {}).reduce((sum, part) => sum + part, 0));
  const GOOD = new Set(["sending", "paused", "unfinished"]);

  function status(key, values) {
    at("said").textContent = say(key, values);
    at("said").className = key === "ended" ? "done" : GOOD.has(key) ? "plain" : "";
  }

  const uploader = new Uploader(place.dataset.run, (error, seconds) => {
    if (error) status("again", { seconds, why: error.message }); else status(uploader.paused ? "paused" : "sending");
  });

  function draw() {
    const all = [...transfers.values()], taken = all.filter((one) => TAKEN.has(one.state));
    const total = taken.reduce((sum, one) => sum + one.file.size, 0), sent = taken.reduce((sum, one) => sum + sentOf(one), 0);
    measure();
    at("bar").max = Math.max(1, total);
    at("bar").value = sent;
    const done = taken.filter((one) => one.state === "done").length;
    const left = working && !uploader.paused && speed > 1 ? say("left", { speed: size(speed), time: time((total - sent) / speed) }) : "";
    at("numbers").textContent = `${say("numbers", { done, files: taken.length, sent: size(sent), total: size(total) })} ${left}`;
    at("pause").hidden = !working;
    rows(all);
  }

  /** Bytes a second, of what this page sends; a hidden page ticks late. */
  function measure() {
    const now = performance.now(), seconds = (now - before.at) / 1000;
    if (working && seconds > 0) speed += SMOOTH * ((uploader.sent - before.sent) / seconds - speed);
    before = { sent: uploader.sent, at: now };
  }

  /** Those that somebody may have to look at, and the newest others. Rows stay while only their progress changes. */
  function rows(all) {
    const shown = all.sort((a, b) => ORDER[a.state] - ORDER[b.state]).slice(0, SHOWN), body = at("list").tBodies[0];
    const signature = JSON.stringify([all.length, shown.map((one) => [one.path, one.state, one.note])]);
    if (signature === drawn) {
      shown.forEach((one, number) => { const cell = body.rows[number].cells[2], text = stateOf(one); if (cell.textContent !== text) cell.textContent = text; });
      return;
    }
    drawn = signature;
    const focused = document.activeElement?.dataset?.file, kind = document.activeElement?.dataset?.does;
    at("list").hidden = !shown.length;
    body.replaceChildren(...shown.map((one) => row(body, one)));
    if (all.length > SHOWN) {
      const cell = body.insertRow().insertCell();
      cell.colSpan = 4;
      cell.textContent = say("more", { n: all.length - SHOWN });
    }
    if (focused) [...body.querySelectorAll("button")].find((one) => one.dataset.file === focused && one.dataset.does === kind)?.focus();
  }

  function row(body, one) {
    const made = document.createElement("tr"), head = document.createElement("th"), path = document.createElement("bdi");
    head.scope = "row";
    path.textContent = one.path;
    head.append(path);
    const cells = [["number", body.dataset.size, size(one.file.size)], ["", body.dataset.state, stateOf(one)]].map(([name, heading, text]) => {
      const cell = document.createElement("td");
      Object.assign(cell, { className: name, textContent: text });
      cell.dataset.head = heading;
      return cell;
    });
    const last = document.createElement("td");
    if (one.state === "failed" && !one.changed && one.file.slice) last.append(button("retry", one, () => add([one])), " ");
    if (!["waiting", "sending", "left_out"].includes(one.state)) last.append(button("remove", one, () => remove(one)));
    made.append(head, ...cells, last);
    return made;
  }

  function button(key, one, work) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", textContent: say(key), onclick: work });
    Object.assign(made.dataset, { file: one.path, does: key });
    made.setAttribute("aria-label", `${say(key)}: ${one.path}`);
    return made;
  }

  function stateOf(one) {
    const share = one.file.size ? Math.floor(100 * sentOf(one) / one.file.size) : 100;
    const note = one.changed ? say("changed") : one.note;
    return `${say(`state.${one.state}`)}${one.state === "sending" ? ` ${share} %` : ""}${note ? `: ${note}` : ""}`;
  }

  const isSame = (one, file) => one && TAKEN.has(one.state) && one.file.size === file.size && (one.file.lastModified ?? file.lastModified) === file.lastModified;

  /** Adds files and sends them. What is chosen again goes on where it was; what has changed is sent again. */
  async function add(found) {
    for (const { path, file } of found) {
      if (!isSame(transfers.get(path), file)) transfers.set(path, { path, file, state: "waiting", note: "" });
    }
    at("going").hidden = !transfers.size;
    draw();
    if (!working) await work();
  }

  const unasked = () => [...transfers.values()].filter((one) => one.state === "waiting" && !one.answer);

  async function work() {
    Object.assign(uploader, { stopped: null });
    working = true;
    paused(false);
    const ticking = setInterval(draw, TICK);
    for (let batch = unasked().slice(0, BATCH); batch.length && !uploader.stopped; batch = unasked().slice(0, BATCH)) {
      await uploader.declare(batch);
      tellPaths();
      await uploader.send(batch);
    }
    clearInterval(ticking);
    working = false;
    if (uploader.stopped) signedOut(); else ended();
    paused(false);
    draw();
  }

  const unsettled = () => [...transfers.values()].filter((one) => !SETTLED.has(one.state));

  function ended() {
    const n = unsettled().length;
    if (n) status("ended_bad", { n }); else status("ended");
    at("before").textContent = "";
  }

  function signedOut() {
    for (const one of unasked()) transfers.set(one.path, { ...one, state: "failed", note: say("signed_out") });
    const link = document.createElement("a");
    link.href = place.dataset.signIn;
    link.textContent = say("signed_out");
    at("said").replaceChildren(link);
  }

  /** Takes a file out of the run. What another page has completed meanwhile is shown first. */
  async function remove(one) {
    const id = one.answer?.upload_id ?? one.open;
    try {
      if (id && one.state !== "done") {
        const now = await send("GET", `${place.dataset.run}/uploads/${id}`);
        if (now.state === "done") { Object.assign(one, { state: "done", note: "" }); draw(); return; }
      }
      if (id) await send("DELETE", `${place.dataset.run}/uploads/${id}`);
      transfers.delete(one.path);
    } catch (error) { one.note = error.message; }
    draw();
    if (!working && transfers.size) ended();
  }

  /** Barcodes of folders whose files are screened, for the sample sheet. */
  function tellPaths(more = []) {
    const paths = [...transfers.values()].filter((one) => TAKEN.has(one.state)).map((one) => one.path);
    dispatchEvent(new CustomEvent("paths", { detail: [...paths, ...more].filter((path) => !/(^|\/)[a-z0-9]+_fail\//.test(path)) }));
  }

  /** Uploads in a state: their pages, as far as anybody reads a list. */
  async function listed(state) {
    const first = await send("GET", `${place.dataset.run}/uploads?state=${state}`);
    for (let page = first, read = 1; page.next && read < MOST_PAGES; read += 1) {
      page = await send("GET", `${place.dataset.run}/uploads?state=${state}&cursor=${encodeURIComponent(page.next)}`);
      first.uploads.push(...page.uploads);
    }
    return first;
  }

  /** What an earlier visit left. */
  async function earlier() {
    const [open, done] = await Promise.all(["open", "done"].map(listed));
    for (const one of open.uploads) {
      if (!transfers.has(one.path)) transfers.set(one.path, { path: one.path, file: { size: one.size }, state: "open", open: one.upload_id, note: say("choose_again") });
    }
    const missing = open.uploads.reduce((sum, one) => sum + one.size, 0), n = open.files - open.uploads.length;
    if (n > 0) at("before").textContent = say("before", { n, size: size(open.bytes - missing) });
    tellPaths(done.uploads.map((one) => one.path));
    if (open.uploads.length && !working) status("unfinished", { n: open.uploads.length });
    if (transfers.size) draw();
  }

  function paused(now) {
    uploader.pause(now);
    at("pause").textContent = say(now ? "resume" : "pause");
    speed = 0;
    if (working) status(now ? "paused" : "sending");
  }

  /** A run starts with everything that was chosen, and with the sheet as it is shown. */
  async function start(event) {
    const form = event.currentTarget, said = form.querySelector("[role=status]");
    if (form.dataset.ready) { delete form.dataset.ready; return; }
    event.preventDefault();
    event.stopPropagation();
    const n = unsettled().length;
    if (working || n) { said.textContent = say(working ? "wait" : "first", { n }); return; }
    said.textContent = "";
    if (!(await sheetIsKept())) { said.textContent = say("sheet_first"); return; }
    form.dataset.ready = "yes";
    setTimeout(() => form.requestSubmit());  // not within the event that is answered here: it would be ignored
  }

  for (const [id, kind] of [["folder", "folder"], ["single", "files"]]) {
    place.querySelector(`[data-choose=${kind}]`).addEventListener("click", () => at(id).click());
    at(id).addEventListener("change", () => { add(chosenFiles(at(id))); at(id).value = ""; });
  }
  at("pause").addEventListener("click", () => paused(!uploader.paused));
  at("seal").addEventListener("submit", start);
  const drop = at("drop");
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    addEventListener(name, (event) => event.preventDefault());  // beside the field, too: else the page is left
    drop.addEventListener(name, () => drop.classList.toggle("over", name === "dragover" || name === "dragenter"));
  }
  drop.addEventListener("drop", async (event) => {
    const { found, lost } = await droppedFiles(event.dataTransfer);
    for (const path of lost) transfers.set(path, { path, file: { size: 0 }, state: "failed", changed: true, note: "" });
    await add(found);
  });
  addEventListener("beforeunload", (event) => { if (working) event.preventDefault(); });
  earlier().catch((error) => (error.status === 401 ? signedOut() : status("stopped", { why: error.message })));
})();
