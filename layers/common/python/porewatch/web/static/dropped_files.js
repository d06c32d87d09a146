// The files of a chosen or dropped folder, each with its path in that folder.
"use strict";

/** As the API names paths: macOS decomposes letters in file names. */
const pathOf = (path) => path.normalize("NFC");

/** Of an input: a folder's files without the name of the folder itself. */
const chosenFiles = (input) => [...input.files].map((file) => ({
  file, path: pathOf(file.webkitRelativePath ? file.webkitRelativePath.split("/").slice(1).join("/") : file.name),
}));

/** Of a drop: folders are walked; one folder alone is the run's own. What cannot be read is listed in `lost`. */
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const alone = entries.length === 1 && entries[0].isDirectory;
  const found = [], lost = [];
  for (const entry of entries) await walk(entry, alone ? "" : entry.name, found, lost);
  return { found, lost };
}

async function walk(entry, path, found, lost) {
  try {
    if (entry.isFile) {
      found.push({ path: pathOf(path), file: await new Promise((done, failed) => entry.file(done, failed)) });
      return;
    }
    const reader = entry.createReader();
    for (;;) {  // a browser answers a hundred entries at a time
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return;
      for (const one of some) await walk(one, path ? `${path}/${one.name}` : one.name, found, lost);
    }
  } catch { lost.push(path); }
}
