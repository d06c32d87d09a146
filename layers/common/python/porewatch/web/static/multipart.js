// Sends files in parts by presigned links: some at once, on after a fault, a pause or a reload.
"use strict";

const ONE_PART = 8 * 2 ** 20, PARTS_AT_ONCE = 5, FILES_AT_ONCE = 5, LONGEST_WAIT = 30_000;

const hex = async (bytes) => Array.from(
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0"),
).join("");

/** Nothing of what was asked can ever work: what is at fault is the file, or who asks. */
const isFinal = (error) => error.status >= 400 && error.status < 500 && ![408, 429].includes(error.status);

/** At most `most` at once; none while it is paused. */
class Gate {
  constructor(most) { this.free = most; this.waiting = []; this.paused = false; }
  async through(work) {
    while (this.paused || this.free <= 0) await new Promise((done) => this.waiting.push(done));
    this.free -= 1;
    try { return await work(); } finally { this.free += 1; this.wake(); }
  }
  wake() { for (const done of this.waiting.splice(0)) done(); }
  pause(paused) { this.paused = paused; this.wake(); }
}

/** One run's uploads. `report(transfer)` when a file has come further, `trouble(error, seconds)` before a wait. */
class Uploader {
  constructor(run, report, trouble) {
    Object.assign(this, { run, report, trouble, gate: new Gate(PARTS_AT_ONCE), requests: new Set(), wakers: new Set() });
    addEventListener("online", () => this.wake());
  }

  pause(paused) {
    this.gate.pause(paused);
    if (paused) for (const request of this.requests) request.abort(); else this.wake();
  }

  wake() { for (const done of this.wakers) done(); this.wakers.clear(); }

  /** Until it works, or never can. */
  async trying(work) {
    for (let attempt = 0; ; attempt += 1) {
      try { return await this.gate.through(work); } catch (error) {
        if (isFinal(error) || error.name === "NotReadableError" || error.name === "NotFoundError") throw error;
        if (this.gate.paused) { attempt = 0; continue; }
        const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** attempt) * (0.5 + Math.random() / 2);
        this.trouble(error, Math.ceil(wait / 1000));
        await new Promise((done) => { this.wakers.add(done); setTimeout(done, wait); });
        this.trouble(null);
      }
    }
  }

  ask(method, path, fields) { return this.trying(() => send(method, this.run + path, fields)); }

  /** Says where the files go: small ones with their checksum, large ones with one for each part. */
  async declare(transfers) {
    const small = transfers.filter((one) => one.file.size <= ONE_PART), large = transfers.filter((one) => one.file.size > ONE_PART);
    for (const one of small) {
      try { one.sha256 = await hex(await one.file.arrayBuffer()); } catch (error) { this.failed(one, error); }
    }
    await this.declared(small.filter((one) => one.sha256 !== undefined), false);
    await this.declared(large, true);
  }

  async declared(transfers, parts) {
    if (!transfers.length) return;
    const files = transfers.map(({ path, file, sha256 }) => ({
      path, size: file.size, modified: file.lastModified, ...(sha256 && { sha256 }),
    }));
    const answer = await this.ask("POST", "/uploads", { files, part_checksums: parts });
    answer.files.forEach((said, at) => {
      const one = transfers[at];
      one.answer = said;
      one.state = said.verdict === "taken" ? (said.state === "done" ? "done" : "waiting") : said.verdict;
      one.note = [said.problem, said.remedy].filter(Boolean).join(" ");
      this.report(one);
    });
  }

  /** Sends those that are taken, a few at once. */
  async send(transfers) {
    const queue = transfers.filter((one) => one.state === "waiting");
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, async () => {
      for (let one = queue.shift(); one; one = queue.shift()) await this.one(one);
    }));
  }

  async one(transfer) {
    try {
      transfer.state = "sending";
      for (let again = 0; !(await this.sitting(transfer, again > 0)); again += 1) if (again > 4) throw new Error(transfer.note);
      transfer.state = "done";
    } catch (error) { await this.lookAgain(transfer, error); }
    this.report(transfer);
  }

  /** What an earlier page asked for may be done meanwhile. */
  async lookAgain(transfer, error) {
    try {
      const now = error.status === 409 && (await this.ask("GET", `/uploads/${transfer.answer.upload_id}`));
      if (now.state === "done") { Object.assign(transfer, { state: "done", note: "" }); return; }
    } catch { /* what was first is said */ }
    this.failed(transfer, error);
  }

  failed(transfer, error) { Object.assign(transfer, { state: "failed", note: error.message, status: error.status }); this.report(transfer); }

  /** Sends what has not arrived and completes the file. False when S3 lacks parts after all. */
  async sitting(transfer, again) {
    const { upload_id: id, parts } = transfer.answer, path = `/uploads/${id}`;
    const here = parts > 1 || again ? (await this.ask("GET", path)).arrived : [];
    const arrived = new Set(here.map((part) => part.number));
    transfer.parts = Object.fromEntries(here.map((part) => [part.number, part.size]));
    this.report(transfer);
    const missing = Array.from({ length: parts }, (_, at) => at + 1).filter((number) => !arrived.has(number));
    await Promise.all(missing.map((number) => this.trying(() => this.part(transfer, number))));
    return this.trying(async () => {
      try { await send("POST", `${this.run}${path}/complete`); return true; } catch (error) {
        if (error.status !== 409) throw error;
        transfer.note = error.message;
        return false;
      }
    });
  }

  async part(transfer, number) {
    const { upload_id: id, part_bytes: size, part_checksums: checked, links } = transfer.answer;
    const bytes = await transfer.file.slice((number - 1) * size, number * size).arrayBuffer();
    let link = links.shift();
    if (!link) {
      const wanted = checked ? { number, sha256: await hex(bytes) } : number;
      [link] = (await send("POST", `${this.run}/uploads/${id}/urls`, { parts: [wanted] })).links;
    }
    await this.put(link, bytes, (sent) => { transfer.parts = { ...transfer.parts, [number]: sent }; this.report(transfer); });
  }

  /** fetch() does not say how far it is. A link that is too old (403) is asked for again. */
  put(link, bytes, sent) {
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest(), fail = (text) => { sent(0); failed(new Error(text)); };
      this.requests.add(request);
      request.upload.onprogress = (event) => sent(event.loaded);
      request.onload = () => (request.status < 300 ? (sent(bytes.byteLength), done()) : fail(`S3: HTTP ${request.status}`));
      request.onerror = () => fail("S3");
      request.onabort = () => fail("S3");
      request.onloadend = () => this.requests.delete(request);
      request.open("PUT", link.url);
      for (const [name, value] of Object.entries(link.headers)) request.setRequestHeader(name, value);
      request.send(bytes);
    });
  }
}
