// @ts-check
/** Texts that several people may change at the same time. */

/** Refuse to replace a text that someone else has changed since it was read here.
 * @param {string} before as it was read @param {() => Promise<string>} read what it is now */
export async function unchanged(before, read) {
  if ((await read()) !== before) {
    throw new Error("Someone else has changed this since you opened it. Copy what you wrote, load the page again, and put both together.");
  }
}
