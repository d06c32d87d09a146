// The files of a run: which are chosen, how far they are, and what became of each.
"use strict";

(() => {
  const place = document.getElementById("upload");
  if (!place) return;
  const words = JSON.parse(place.dataset.words), language = document.documentElement.lang;
  const at = (id) => document.getElementById(id);
  const SHOWN = 50, BATCH = 100, TICK = 1000, SMOOTH = 0.2;
  const transfers = new Map();
  let working = false, speed = 0, before = 0, drawn = false;

  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const unit = (number, name, digits = 0) => new Intl.NumberFormat(language, {
    style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits,
  }).format(number);

  function size(bytes) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    let step = 0;
    for (; bytes >= 1000 && step < units.length - 1; step += 1) bytes /= 1000;
    return unit(bytes, units[step], step > 1 ? 1 : 0);
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
    at("said").textContent = key ? say(key, values) : "";
    at("said").className = key === "ended" ? "done" : GOOD.has(key) ? "plain" : "";
  }


  const uploader = new Uploader(place.dataset.run, () => { drawn = false; }, (error, seconds) => {
    if (error?.status === 401) return;
    status(error ? "again" : null, { seconds, why: error?.message });
  });

  function draw() {
    const all = [...transfers.values()], taken = all.filter((one) => ["waiting", "sending", "done"].includes(one.state));
    const total = taken.reduce((sum, one) => sum + one.file.size, 0), sent = taken.reduce((sum, one) => sum + sentOf(one), 0);
    if (working) speed += SMOOTH * (Math.max(0, sent - before) * 1000 / TICK - speed);
    before = sent;
    at("bar").max = Math.max(1, total);
    at("bar").value = sent;
    const done = taken.filter((one) => one.state === "done").length;
    const left = working && !uploader.gate.paused && speed > 1 ? say("left", { speed: size(speed), time: time((total - sent) / speed) }) : "";
    at("numbers").textContent = `${say("numbers", { done, files: taken.length, sent: size(sent), total: size(total) })} ${left}`;
    at("pause").hidden = !working;
    if (!drawn) rows(all);
    drawn = true;
  }

  /** Those that somebody may have to look at, and the newest others. */
  function rows(all) {
    const order = { failed: 0, refused: 0, open: 1, left_out: 1, sending: 2, waiting: 3, done: 4 };
    const shown = all.sort((a, b) => order[a.state] - order[b.state]).slice(0, SHOWN);
    const body = at("list").tBodies[0];
    at("list").hidden = !shown.length;
    body.replaceChildren(...shown.map((one) => row(body, one)));
    if (all.length > SHOWN) {
      const cell = body.insertRow().insertCell();
      cell.colSpan = 4;
      cell.textContent = say("more", { n: all.length - SHOWN });
    }
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
    if (one.state === "failed") last.append(button("retry", one.path, () => add([one])));
    if (one.open) last.append(button("give_up", one.path, () => giveUp(one)));
    made.append(head, ...cells, last);
    return made;
  }

  function button(key, path, work) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", textContent: say(key), onclick: work });
    made.setAttribute("aria-label", `${say(key)}: ${path}`);
    return made;
  }

  function stateOf(one) {
    const share = one.file.size ? Math.floor(100 * sentOf(one) / one.file.size) : 100;
    return `${say(`state.${one.state}`)}${one.state === "sending" ? ` ${share} %` : ""}${one.note ? `: ${one.note}` : ""}`;
  }

  /** Adds files and sends them. What is chosen again goes on where it was. */
  async function add(found) {
    const fresh = found.filter(({ path }) => !["waiting", "sending", "done"].includes(transfers.get(path)?.state));
    for (const { path, file } of fresh) transfers.set(path, { path, file, state: "waiting", note: "" });
    dispatchEvent(new CustomEvent("paths", { detail: [...transfers.keys()] }));
    at("going").hidden = !transfers.size;
    drawn = false;
    draw();
    if (!working) await work();
  }

  const unasked = () => [...transfers.values()].filter((one) => one.state === "waiting" && !one.answer);

  async function work() {
    working = true;
    const ticking = setInterval(draw, TICK);
    status("sending");
    try {
      for (let batch = unasked().slice(0, BATCH); batch.length; batch = unasked().slice(0, BATCH)) {
        await uploader.declare(batch);
        await uploader.send(batch);
        if (batch.some((one) => one.status === 401)) { signedOut(); return; }
      }
      ended();
    } catch (error) {
      if (error.status === 401) signedOut(); else status("stopped", { why: error.message });
      for (const one of unasked()) transfers.delete(one.path);
    } finally {
      clearInterval(ticking);
      working = false;
      drawn = false;
      draw();
    }
  }

  function ended() {
    const bad = [...transfers.values()].filter((one) => ["failed", "refused"].includes(one.state)).length;
    if (bad) status("ended_bad", { n: bad }); else status("ended");
    at("before").textContent = "";
  }

  function signedOut() {
    const link = document.createElement("a");
    link.href = place.dataset.signIn;
    link.textContent = say("signed_out");
    at("said").replaceChildren(link);
  }

  async function giveUp(one) {
    try {
      await send("DELETE", `${place.dataset.run}/uploads/${one.open}`);
      transfers.delete(one.path);
    } catch (error) { one.note = error.message; }
    drawn = false;
    draw();
  }

  /** What an earlier visit left. */
  async function earlier() {
    const list = await send("GET", `${place.dataset.run}/uploads?state=open`);
    const open = list.uploads.length;
    if (list.files > open) at("before").textContent = say("before", { n: list.files - open, size: size(list.bytes) });
    for (const one of list.uploads) transfers.set(one.path, { path: one.path, file: { size: one.size }, state: "open", open: one.upload_id, note: say("choose_again") });
    if (open) { status("unfinished", { n: open }); rows([...transfers.values()]); }
  }

  for (const [id, kind] of [["folder", "folder"], ["single", "files"]]) {
    place.querySelector(`[data-choose=${kind}]`).addEventListener("click", () => at(id).click());
    at(id).addEventListener("change", () => { add(chosenFiles(at(id))); at(id).value = ""; });
  }
  at("pause").addEventListener("click", () => {
    const paused = !uploader.gate.paused;
    uploader.pause(paused);
    at("pause").setAttribute("aria-pressed", String(paused));
    at("pause").textContent = say(paused ? "resume" : "pause");
    speed = 0;
    status(paused ? "paused" : "sending");
  });
  const drop = at("drop");
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.toggle("over", name === "dragover" || name === "dragenter"); });
  }
  drop.addEventListener("drop", (event) => droppedFiles(event.dataTransfer).then(add, (error) => status("stopped", { why: error.message })));
  addEventListener("beforeunload", (event) => { if (working && !uploader.gate.paused) event.preventDefault(); });
  earlier().catch((error) => (error.status === 401 ? signedOut() : status("stopped", { why: error.message })));
})();
