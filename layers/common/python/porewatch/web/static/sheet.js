// The sample sheet as a table to edit. The API checks it, by the rules of every other door, and keeps it.
"use strict";

(() => {
  const place = document.getElementById("sheet");
  if (!place) return;
  const words = JSON.parse(place.dataset.words), fields = JSON.parse(place.dataset.columns), choices = JSON.parse(place.dataset.choices);
  const at = (id) => document.getElementById(id), table = place.querySelector("table");
  const columns = Object.fromEntries(fields.flatMap((one) => one.headings.map((heading) => [heading, one])));
  const MOST_ROWS = 1000;
  let headings = JSON.parse(place.dataset.usual), rows = [[]], lines = [], barcodes = [], changed = false;

  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const plain = (heading) => heading.normalize("NFKC").trim().toLowerCase().replaceAll(/[ -]/g, "_");
  const known = (heading) => columns[plain(heading)];
  const isBlank = (row) => !row.some((cell) => cell?.trim());
  const idOf = (row, column) => `cell-${row}-${column}`;

  function draw() {
    const head = document.createElement("tr");
    for (const heading of headings) {
      const cell = document.createElement("th"), name = document.createElement("code");
      cell.scope = "col";
      name.textContent = heading;
      cell.append(known(heading)?.words ?? "", " ", name);
      head.append(cell);
    }
    head.append(Object.assign(document.createElement("td"), { className: "heard", textContent: "" }));
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...rows.map(drawRow));
    at("add-barcodes").hidden = !missing().length;
    ticks();
  }

  function drawRow(row, number) {
    const made = document.createElement("tr");
    headings.forEach((heading, column) => {
      const cell = made.insertCell();
      cell.dataset.head = known(heading)?.words ?? heading;
      cell.append(field(heading, row, number, column));
    });
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", textContent: say("remove"), onclick: () => removeRow(number) });
    remove.setAttribute("aria-label", say("remove_row", { row: number + 1 }));
    made.insertCell().append(remove);
    return made;
  }

  function field(heading, row, number, column) {
    const allowed = choices[known(heading)?.field], value = row[column] ?? "";
    const made = document.createElement(allowed ? "select" : "input");
    if (allowed) made.replaceChildren(new Option("", ""), ...allowed.map(([one, text]) => new Option(text, one)));
    if (allowed && ![...made.options].some((one) => one.value === value)) made.append(new Option(value, value));
    Object.assign(made, { id: idOf(number, column), value, autocomplete: "off" });
    made.setAttribute("aria-label", say("cell", { column: known(heading)?.words ?? heading, row: number + 1 }));
    made.oninput = () => { row[column] = made.value; changed = true; unmark(made); };
    made.onkeydown = (event) => move(event, number, column, allowed);
    made.onpaste = (event) => paste(event, number, column);
    return made;
  }

  function unmark(cell) { cell.removeAttribute("aria-invalid"); cell.removeAttribute("aria-describedby"); }

  /** As in a program for tables: Enter and the arrows go up and down; Enter at the end adds a row. */
  function move(event, number, column, isChoice) {
    const steps = { Enter: 1, ...(!isChoice && { ArrowDown: 1, ArrowUp: -1 }) }, step = steps[event.key];
    if (!step || event.isComposing) return;
    event.preventDefault();
    if (event.key === "Enter" && number === rows.length - 1) addRow(); else at(idOf(number + step, column))?.focus();
  }

  function paste(event, number, column) {
    const text = event.clipboardData.getData("text");
    if (!/[\t\n]/.test(text.trimEnd())) return;
    event.preventDefault();
    let pasted = text.trimEnd().split(/\r?\n/).map((line) => line.split("\t"));
    if (pasted[0].filter(known).length > 1) {
      headings = pasted[0];
      pasted = pasted.slice(1);
      [rows, number, column] = [[], 0, 0];
    }
    pasted.slice(0, MOST_ROWS).forEach((cells, down) => {
      rows[number + down] ??= [];
      cells.slice(0, headings.length - column).forEach((cell, right) => { rows[number + down][column + right] = cell; });
    });
    if (!rows.length) rows = [[]];
    changed = true;
    draw();
    at(idOf(number, column))?.focus();
  }

  function addRow(cells = []) {
    rows.push(cells);
    draw();
    at(idOf(rows.length - 1, 0)).focus();
  }

  function removeRow(number) {
    rows.splice(number, 1);
    if (!rows.length) rows = [[]];
    changed = true;
    draw();
    at(idOf(Math.min(number, rows.length - 1), 0)).focus();
  }

  const columnOf = (wanted) => headings.findIndex((heading) => known(heading)?.field === wanted);

  /** Barcodes of folders that are sent, and of no row. */
  function missing() {
    const column = columnOf("barcode"), there = new Set(rows.map((row) => row[column]?.trim().toLowerCase()));
    return column < 0 ? [] : barcodes.filter((one) => !there.has(one));
  }

  function addBarcodes() {
    const fresh = missing().map((barcode) => { const row = []; row[columnOf("barcode")] = barcode; return row; });
    rows = [...rows.filter((row) => !isBlank(row)), ...fresh];
    changed = true;
    draw();
    at(idOf(rows.length - fresh.length, 0)).focus();
  }

  /** One box for each column that there is, and those that the sheet has. */
  function ticks() {
    at("columns").replaceChildren(at("columns").firstElementChild, ...fields.map(({ field: name, words: text }) => {
      const label = document.createElement("label"), box = document.createElement("input");
      Object.assign(box, { type: "checkbox", checked: columnOf(name) >= 0, disabled: name === "name", id: `column-${name}` });
      label.className = "tick";
      box.onchange = () => { toggle(name, box.checked); at(box.id).focus(); };
      label.append(box, ` ${text}`);
      return label;
    }));
  }

  function toggle(name, wanted) {
    const column = columnOf(name);
    if (wanted && column < 0) headings.push(name);
    if (!wanted && column >= 0) {
      headings.splice(column, 1);
      for (const row of rows) row.splice(column, 1);
    }
    changed = true;
    draw();
  }

  const quoted = (cell) => `"${(cell ?? "").replaceAll(/\r?\n/g, " ").replaceAll('"', '""')}"`;

  /** The table as CSV. `lines`: in which line of it each row is. */
  function csv() {
    lines = [];
    let line = 1;
    const text = [headings.map(quoted).join(",")];
    rows.forEach((row, number) => {
      if (isBlank(row)) return;
      text.push(headings.map((_, column) => quoted(row[column])).join(","));
      lines[line += 1] = number;
    });
    return `${text.join("\n")}\n`;
  }

  async function keep(content, type) {
    at("keep").disabled = true;
    at("kept").textContent = "";
    try { took(await send("PUT", place.dataset.address, content, { "content-type": type }), type); } catch (error) {
      if (error.answer?.faults && error.status === 422) took(error.answer, type);
      else at("kept").textContent = error.message;
    } finally { at("keep").disabled = false; }
  }

  function took(answer, type) {
    if (answer.table && type !== "text/csv") fill(answer.table);
    else if (!answer.valid && type !== "text/csv") lines = [];
    mark(answer.faults ?? []);
    at("kept").classList.toggle("done", answer.valid);
    at("kept").textContent = answer.valid ? say("kept", { n: answer.samples.length }) : "";
    if (answer.valid) changed = false;
  }

  function fill(read) {
    headings = [...read.columns];
    rows = read.rows.map((row) => [...row.cells]);
    lines = [];
    read.rows.forEach((row, number) => { lines[row.line] = number; });
    if (!rows.length) rows = [[]];
    draw();
  }

  /** Says each fault, with a link to its cell. */
  function mark(faults) {
    for (const cell of table.querySelectorAll("[aria-invalid]")) unmark(cell);
    const box = at("faults");
    box.replaceChildren();
    box.className = faults.length ? "note bad" : "";
    if (!faults.length) return;
    const title = document.createElement("p"), list = document.createElement("ul");
    title.textContent = say("faults", { n: faults.length });
    faults.forEach((fault, number) => list.append(faultItem(fault, number)));
    box.append(title, list);
    box.focus();
  }

  function faultItem(fault, number) {
    const item = document.createElement("li"), row = lines[fault.line];
    const column = headings.findIndex((heading) => heading === fault.column);
    const cell = row === undefined ? null : at(idOf(row, Math.max(0, column)));
    item.id = `fault-${number}`;
    if (cell) {
      const link = document.createElement("a");
      link.href = `#${cell.id}`;
      link.textContent = say(column < 0 ? "in_row" : "in_cell", { row: row + 1, column: known(fault.column ?? "")?.words ?? fault.column });
      link.onclick = (event) => { event.preventDefault(); cell.focus(); };
      item.append(link, " ");
      cell.setAttribute("aria-invalid", "true");
      cell.setAttribute("aria-describedby", item.id);
    }
    item.append(`${fault.problem} ${fault.remedy ?? ""}`);
    return item;
  }

  async function load(file) {
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let from = 0; from < bytes.length; from += 0x8000) text += String.fromCharCode(...bytes.subarray(from, from + 0x8000));
    await keep({ base64: btoa(text) }, "application/json");
  }

  at("add-row").addEventListener("click", () => addRow());
  at("add-barcodes").addEventListener("click", addBarcodes);
  at("keep").addEventListener("click", () => keep(csv(), "text/csv"));
  at("load").addEventListener("click", () => at("table").click());
  at("table").addEventListener("change", () => { load(at("table").files[0]); at("table").value = ""; });
  addEventListener("paths", (event) => {
    const found = event.detail.flatMap((path) => path.split("/").filter((part) => /^barcode\d{2,4}[a-d]?$/.test(part)));
    barcodes = [...new Set(found)].sort();
    at("add-barcodes").hidden = !missing().length;
  });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  const kept = JSON.parse(place.dataset.kept);
  if (kept) fill(kept); else draw();
})();
