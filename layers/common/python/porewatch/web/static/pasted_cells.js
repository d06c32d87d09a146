// Cells as a program for tables puts them on the clipboard: tabs between them, quotes where they hold line breaks.
"use strict";

/** Rows of cells. `"a\nb"` is one cell; the line break in it becomes a blank. */
function pastedCells(text) {
  const rows = [[]];
  let cell = "", quoted = false, began = true;
  const end = () => { rows.at(-1).push(cell.replaceAll(/\s*[\r\n]+\s*/g, " ")); cell = ""; began = true; };
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at];
    if (quoted && one === '"' && text[at + 1] === '"') { cell += '"'; at += 1; }
    else if (quoted && one === '"') quoted = false;
    else if (quoted) cell += one;
    else if (began && one === '"') { quoted = true; began = false; }
    else if (one === "\t") end();
    else if (one === "\n") { end(); rows.push([]); }
    else if (one !== "\r") { cell += one; began = false; }
  }
  end();
  if (rows.length > 1 && rows.at(-1).length === 1 && !rows.at(-1)[0]) rows.pop();
  return rows;
}
