// The sample sheet as a table to edit. The API checks it, by the rules of every other door, and keeps it.
"use strict";

/** Whether the sheet that is shown is the one that is kept; it is kept first where it is not. */
let sheetIsKept = async () => true;

(() => {
  const place = document.getElementById("sheet");
  if (!place) return;
  const words = JSON.parse(place.dataset.words), fields = JSON.parse(place.dataset.columns), choices = JSON.parse(place.dataset.choices);
  const columns = Object.fromEntries(fields.flatMap((one) => one.headings.map((heading) => [heading, one])));
  const at = (id) => document.getElementById(id), table = place.querySelector("table");
  const MOST_ROWS = 1000, FIRST = 2;  // as a program for tables numbers them: the headings are row 1
  const draft = `porewatch sheet ${place.dataset.address.split("/").at(-2)}`;
  let headings = JSON.parse(place.dataset.usual), rows = [[]], byLine = [], faults = [], barcodes = [], edits = 0, keptAt = 0, etag = null, isLong = false;

  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const plain = (heading) => heading.normalize("NFKC").trim().toLowerCase().replaceAll(/[ -]/g, "_");
  const known = (heading) => columns[plain(heading)];
  const nameOf = (heading) => known(heading)?.words ?? heading;
  const isBlank = (row) => !row.some((cell) => cell?.trim());
  const cellAt = (number, column) => at(`cell-${number}-${column}`);
  const tell = (text, name = "") => Object.assign(at("kept"), { textContent: text, className: name });

  /** Typed cells outlive a reload and a sign-in, in this tab. */
  function edited() {
    edits += 1;
    try { sessionStorage.setItem(draft, JSON.stringify({ headings, rows, etag })); } catch { /* storage is full or forbidden */ }
  }

  function forget() { try { sessionStorage.removeItem(draft); } catch { /* as above */ } }

  function draw() {
    const head = document.createElement("tr");
    const corner = Object.assign(document.createElement("td"), { className: "number" });
    head.append(corner, ...headings.map((heading) => {
      const cell = document.createElement("th"), name = document.createElement("code");
      cell.scope = "col";
      name.textContent = heading;
      cell.append(known(heading)?.words ?? "", " ", name);
      return cell;
    }), document.createElement("td"));
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...rows.map(drawRow));
    at("add-barcodes").hidden = isLong || !missing().length;
    ticks();
    paint();
  }

  function drawRow(row, number) {
    const made = document.createElement("tr"), line = document.createElement("th");
    Object.assign(line, { scope: "row", className: "number", textContent: number + FIRST });
    made.append(line);
    headings.forEach((heading, column) => {
      const cell = made.insertCell();
      cell.dataset.head = nameOf(heading);
      cell.append(field(heading, row, number, column));
    });
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", textContent: say("remove"), onclick: () => removeRow(number) });
    remove.setAttribute("aria-label", say("remove_row", { row: number + FIRST }));
    made.insertCell().append(remove);
    return made;
  }

  function field(heading, row, number, column) {
    const allowed = choices[known(heading)?.field], value = row[column] ?? "";
    const made = document.createElement(allowed ? "select" : "input");
    if (allowed) made.replaceChildren(new Option("", ""), ...allowed.map(([one, text]) => new Option(text, one)));
    if (allowed && ![...made.options].some((one) => one.value === value)) made.append(new Option(value, value));
    Object.assign(made, { id: `cell-${number}-${column}`, value, autocomplete: "off" });
    made.setAttribute("aria-label", say("cell", { column: nameOf(heading), row: number + FIRST }));
    made.oninput = () => { row[column] = made.value; unmark(made); edited(); };
    made.onkeydown = (event) => move(event, number, column, allowed);
    made.onpaste = (event) => paste(event, number, column);
    return made;
  }

  function unmark(cell) { cell.removeAttribute("aria-invalid"); cell.removeAttribute("aria-describedby"); }

  /** As in a program for tables: Enter and the arrows go up and down; Enter at the end adds a row. The Enter that ends a
   * conversion of an input method is none (229: as Safari says it). */
  function move(event, number, column, isChoice) {
    const steps = { Enter: 1, ...(!isChoice && { ArrowDown: 1, ArrowUp: -1 }) }, step = steps[event.key];
    if (!step || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (event.key === "Enter" && number === rows.length - 1) addRow(); else cellAt(number + step, column)?.focus();
  }

  function paste(event, number, column) {
    const text = event.clipboardData.getData("text");
    if (!/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return;
    event.preventDefault();
    let cells = pastedCells(text);
    if (cells[0].filter(known).length > 1) {
      if (!rows.every(isBlank) && !confirm(say("replace"))) return;
      headings = cells[0];
      cells = cells.slice(1);
      [rows, number, column] = [[], 0, 0];
    }
    let lost = 0;
    cells.forEach((some, down) => {
      if (number + down >= MOST_ROWS) { lost += some.length; return; }
      rows[number + down] ??= [];
      some.forEach((cell, right) => {
        if (column + right < headings.length) rows[number + down][column + right] = cell; else if (cell) lost += 1;
      });
    });
    if (!rows.length) rows = [[]];
    edited();
    draw();
    tell(lost ? say("cut", { n: lost }) : "");
    cellAt(number, column)?.focus();
  }

  function addRow() {
    rows.push([]);
    draw();
    cellAt(rows.length - 1, 0).focus();
  }

  function removeRow(number) {
    rows.splice(number, 1);
    if (!rows.length) rows = [[]];
    edited();
    draw();
    cellAt(Math.min(number, rows.length - 1), 0).focus();
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
    edited();
    draw();
    cellAt(rows.length - fresh.length, 0).focus();
  }

  /** One box for each column that there is. */
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
    edited();
    draw();
  }

  const quoted = (cell) => `"${(cell ?? "").replaceAll(/\s*[\r\n]+\s*/g, " ").replaceAll('"', '""')}"`;

  /** The table as CSV: each row in the line of its number, blank ones as blank lines. */
  function csv() {
    byLine = [];
    rows.forEach((row, number) => { byLine[number + FIRST] = row; });
    const text = rows.map((row) => (isBlank(row) ? "" : headings.map((_, column) => quoted(row[column])).join(",")));
    return `${[headings.map(quoted).join(","), ...text].join("\n")}\n`;
  }

  /** What a reader of CSV would take for a remark. */
  const remarks = () => rows.flatMap((row, number) => (/^\s*(#|sep=)/i.test(row[0] ?? "") ? [{ line: number + FIRST, column: headings[0], problem: say("remark") }] : []));

  async function keep() {
    const content = csv(), as = edits, odd = remarks();
    if (odd.length) { mark(odd); return false; }
    const answer = await put(content, "text/csv", etag ? { "if-match": `"${etag}"` } : { "if-none-match": "*" });
    if (!answer) return false;
    mark(answer.faults);
    if (!answer.valid) return false;
    etag = answer.etag;
    keptAt = as;
    if (edits === as) forget();
    tell(say("kept", { n: answer.samples.length }), "done");
    return edits === as;
  }

  async function put(content, type, expected) {
    at("keep").disabled = true;
    tell("");
    try { return await send("PUT", place.dataset.address, content, { "content-type": type, ...expected }); } catch (error) {
      if (error.status === 422 && error.answer.faults) return error.answer;
      if (error.status === 401 || error.status === 403) signedOut(error); else tell(error.message);
      return null;
    } finally { at("keep").disabled = false; }
  }

  function signedOut(error) {
    const link = document.createElement("a");
    link.href = place.dataset.signIn;
    link.textContent = say("sign_in");
    at("kept").replaceChildren(`${error.message} `, link);
  }

  function fill(read) {
    headings = [...read.columns];
    rows = read.rows.map((row) => [...row.cells]);
    byLine = [];
    read.rows.forEach((row, number) => { byLine[row.line] = rows[number]; });
    if (!rows.length) rows = [[]];
    draw();
  }

  /** Says each fault, with a link to its cell. */
  function mark(found, isFirst = true) {
    faults = found.map((fault) => ({ ...fault, row: byLine[fault.line] }));
    const box = at("faults");
    box.replaceChildren();
    box.className = faults.length ? "note bad" : "";
    paint();
    if (!faults.length) return;
    const title = document.createElement("p"), list = document.createElement("ul");
    title.textContent = say("faults", { n: faults.length });
    list.append(...faults.map(faultItem));
    box.append(title, list);
    if (isFirst) box.focus();
  }

  /** Column of a fault: a heading, or the field that one means. -1: of the whole row. */
  function columnOfFault({ column }) {
    const exact = headings.indexOf(column);
    return exact >= 0 || !column ? exact : columnOf(known(column)?.field ?? column);
  }

  function cellOf(fault) {
    const number = rows.indexOf(fault.row);
    return number < 0 ? null : cellAt(number, Math.max(0, columnOfFault(fault)));
  }

  /** Marks the cells of the faults, after each drawing. */
  function paint() {
    for (const cell of table.querySelectorAll("[aria-invalid]")) unmark(cell);
    faults.forEach((fault, number) => {
      const cell = columnOfFault(fault) < 0 ? null : cellOf(fault);
      cell?.setAttribute("aria-invalid", "true");
      cell?.setAttribute("aria-describedby", `fault-${number}`);
    });
  }

  function faultItem(fault, number) {
    const item = document.createElement("li"), cell = cellOf(fault), column = columnOfFault(fault);
    item.id = `fault-${number}`;
    if (cell) {
      const link = document.createElement("a");
      link.href = `#${cell.id}`;
      link.textContent = say(column < 0 ? "in_row" : "in_cell", { row: rows.indexOf(fault.row) + FIRST, column: nameOf(headings[column] ?? "") });
      link.onclick = (event) => { event.preventDefault(); cellOf(fault)?.focus(); };
      item.append(link, " ");
    }
    item.append(`${fault.problem} ${fault.remedy ?? ""}`);
    return item;
  }

  /** A file takes the place of what is shown; it is kept when nothing is wrong with it. */
  async function load(file) {
    if (!file || (edits > keptAt && !confirm(say("replace")))) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let from = 0; from < bytes.length; from += 0x8000) text += String.fromCharCode(...bytes.subarray(from, from + 0x8000));
    const answer = await put({ base64: btoa(text) }, "application/json", {});
    if (answer) took(answer);
  }

  function took(answer, isFirst = true) {
    if (answer.table) fill(answer.table); else byLine = [];
    showLong(answer);
    mark(answer.faults, isFirst);
    if (!answer.valid) { if (isFirst) edited(); return; }
    etag = answer.etag;
    keptAt = edits;
    forget();
    if (isFirst) tell(say("kept", { n: answer.samples.length }), "done");
  }

  /** A sheet that is too long to be edited here is said, and not replaced by an empty table. */
  function showLong(answer) {
    isLong = answer.valid && !answer.table;
    for (const id of ["editor", "add-row", "keep", "add-barcodes"]) at(id).hidden = isLong;
    at("long").hidden = !isLong;
    if (isLong) at("long").textContent = say("long", { n: answer.samples.length });
  }

  function restored() {
    let found = null;
    try { found = JSON.parse(sessionStorage.getItem(draft)); } catch { return false; }
    if (!found) return false;
    ({ headings, rows, etag } = found);
    edits += 1;
    draw();
    tell(say("restored"), "plain");
    return true;
  }

  sheetIsKept = async () => isLong || edits === keptAt || keep();
  at("add-row").addEventListener("click", addRow);
  at("add-barcodes").addEventListener("click", addBarcodes);
  at("keep").addEventListener("click", keep);
  at("load").addEventListener("click", () => at("table").click());
  at("table").addEventListener("change", () => { load(at("table").files[0]); at("table").value = ""; });
  addEventListener("paths", (event) => {
    const found = event.detail.flatMap((path) => path.split("/").filter((part) => /^barcode\d{2,4}[a-d]?$/.test(part)));
    barcodes = [...new Set(found)].sort();
    at("add-barcodes").hidden = isLong || !missing().length;
  });
  addEventListener("beforeunload", (event) => { if (edits > keptAt) event.preventDefault(); });
  const kept = JSON.parse(place.dataset.kept);
  if (kept) etag = kept.etag;
  if (!restored()) { if (kept) took(kept, false); else draw(); }
})();
