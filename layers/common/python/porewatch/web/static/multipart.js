// Sends files in parts by presigned links: some at once, on after a fault, a pause or a reload.
"use strict";

const ONE_PART = 8 * 2 ** 20, PARTS_AT_ONCE = 5, FILES_AT_ONCE = 5, LONGEST_WAIT = 30_000, STALL = 60_000, S3_TRIES = 4;

const hex = async (bytes) => Array.from(
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0"),
).join("");

const isGone = (error) => error.name === "NotReadableError" || error.name === "NotFoundError";

/** Nothing of what was asked can ever work: what is at fault is the file, or who asks. */
const isFinal = (error) => isGone(error) || error.redeclare || (error.status >= 400 && error.status < 500 && ![408, 429].includes(error.status));

/** At most `most` at once; none while it is paused. */
class Gate {
  constructor(most) { this.free = most; this.waiting = []; this.paused = false; }
  async through(work) {
    while (this.paused || this.free <= 0) await new Promise((done) => this.waiting.push(done));
    this.free -= 1;
    try { return await work(); } finally { this.free += 1; this.wake(); }
  }
  wake() { for (const done of this.waiting.splice(0)) done(); }
}

/** One run's uploads. `trouble(error, seconds)` before a wait and, with null, after it. `sent`: bytes that this page has
 * sent. What becomes of a file stands in its transfer. */
class Uploader {
  constructor(run, trouble) {
    Object.assign(this, { run, trouble, gate: new Gate(PARTS_AT_ONCE), requests: new Set(), wakers: new Set(), sent: 0, stopped: null });
    addEventListener("online", () => this.wake());
  }

  get paused() { return this.gate.paused; }

  pause(paused) {
    this.gate.paused = paused;
    if (paused) for (const request of this.requests) request.abort();
    else { this.gate.wake(); this.wake(); }
  }

  wake() { for (const done of this.wakers) done(); this.wakers.clear(); }

  /** Until it works, or never can. */
  async trying(work) {
    for (let attempt = 0, refused = 0; ; attempt += 1) {
      if (this.stopped) throw this.stopped;
      try { return await this.gate.through(work); } catch (error) {
        if (this.paused) { attempt = 0; continue; }
        if (error.s3 >= 400 && error.s3 < 500 && (refused += 1) >= S3_TRIES) error.status = error.s3;
        if (error.status === 401) this.stopped = error;
        if (isFinal(error)) throw error;
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
    await this.declared(small.filter((one) => one.state === "waiting"), false);
    await this.declared(large, true);
  }

  async declared(transfers, parts) {
    if (!transfers.length) return;
    const files = transfers.map(({ path, file, sha256 }) => ({
      path, size: file.size, modified: file.lastModified, ...(sha256 && { sha256 }),
    }));
    try {
      const answer = await this.ask("POST", "/uploads", { files, part_checksums: parts });
      answer.files.forEach((said, at) => this.placed(transfers[at], said));
    } catch (error) { for (const one of transfers) this.failed(one, error); }
  }

  placed(transfer, said) {
    transfer.answer = said;
    transfer.state = said.verdict === "taken" ? (said.state === "done" ? "done" : "waiting") : said.verdict;
    transfer.note = said.verdict === "refused" ? [said.problem, said.remedy].filter(Boolean).join(" ") : "";
  }

  /** Sends those that are taken, a few at once. */
  async send(transfers) {
    const queue = transfers.filter((one) => one.state === "waiting" && one.answer);
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, async () => {
      for (let one = queue.shift(); one && !this.stopped; one = queue.shift()) await this.one(one);
    }));
  }

  async one(transfer) {
    transfer.state = "sending";
    for (let declared = 0; ; declared += 1) {
      try { await this.whole(transfer); transfer.state = "done"; } catch (error) {
        if (error.redeclare && declared < 2 && (await this.declaredAgain(transfer))) continue;
        await this.lookAgain(transfer, error);
      }
      break;
    }
  }

  /** S3 knows the upload no more: the file is declared again. Whether it is to be sent now. */
  async declaredAgain(transfer) {
    const checked = transfer.answer.part_checksums;
    transfer.parts = {};
    await this.declared([transfer], checked);
    if (transfer.state !== "waiting") return false;
    transfer.state = "sending";
    return true;
  }

  async whole(transfer) {
    for (let again = 0; again < 5; again += 1) if (await this.sitting(transfer, again > 0)) return;
    throw new Error(transfer.note);
  }

  /** What an earlier page asked for may be done meanwhile. */
  async lookAgain(transfer, error) {
    if (["done", "refused", "left_out"].includes(transfer.state)) return;
    try {
      const now = error.status === 409 && (await this.ask("GET", `/uploads/${transfer.answer.upload_id}`));
      if (now.state === "done") { Object.assign(transfer, { state: "done", note: "" }); return; }
    } catch { /* what was first is said */ }
    this.failed(transfer, error);
  }

  failed(transfer, error) {
    Object.assign(transfer, { state: "failed", note: error.message, changed: isGone(error) });
  }

  /** Sends what has not arrived and completes the file. False when S3 lacks parts after all. */
  async sitting(transfer, again) {
    const { upload_id: id, parts } = transfer.answer, path = `/uploads/${id}`;
    const now = parts > 1 || again ? await this.ask("GET", path) : { arrived: [] };
    if (now.state === "done") return true;
    if (now.state === "ended") throw Object.assign(new Error(now.state), { redeclare: true });
    const arrived = new Set(now.arrived.map((part) => part.number));
    transfer.parts = Object.fromEntries(now.arrived.map((part) => [part.number, part.size]));
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
    if (this.paused) throw new Error("paused");
    await this.put(link, bytes, (sent) => this.progress(transfer, number, sent));
  }

  progress(transfer, number, sent) {
    transfer.parts ??= {};
    this.sent += Math.max(0, sent - (transfer.parts[number] ?? 0));
    transfer.parts[number] = sent;
  }

  /** fetch() does not say how far it is. A link that is too old (403) is asked for again; an upload that S3 has given up
   * (404) is declared again. */
  put(link, bytes, sent) {
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      let stalls = 0;
      const watch = () => { clearTimeout(stalls); stalls = setTimeout(() => request.abort(), STALL); };
      const fail = (text, more) => { sent(0); failed(Object.assign(new Error(text), more)); };
      this.requests.add(request);
      request.upload.onprogress = (event) => { watch(); sent(event.loaded); };
      request.onload = () => {
        if (request.status < 300) { sent(bytes.byteLength); done(); }
        else fail(`S3: HTTP ${request.status}`, { s3: request.status, redeclare: request.status === 404 });
      };
      request.onerror = request.onabort = () => fail("S3");
      request.onloadend = () => { clearTimeout(stalls); this.requests.delete(request); };
      request.open("PUT", link.url);
      for (const [name, value] of Object.entries(link.headers)) request.setRequestHeader(name, value);
      watch();
      request.send(bytes);
    });
  }
}
