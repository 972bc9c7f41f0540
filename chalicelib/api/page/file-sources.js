/** Files that were dropped (folders too), pasted or picked. */

const PHOTOS = /\.(jpe?g|jpe|jfif|png|webp|gif|bmp|dib|tiff?|jp2|j2k|jpf|jpx|hei[cf]s?|hif|avifs?|arw|cr[23]|dng|nef|nrw|or[fi]|pef|raf|rw2|srw)$/i;
const OF_SYSTEMS = /(^|\/)(\.[^/]*|Thumbs\.db|desktop\.ini)(\/|$)/i;

/** What is taken of a drop or a paste, as {@link taken} has it; files in folders have their path as a name. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return taken([...transfer.files].map((file) => ({ file, name: file.name })));
  return taken((await Promise.all(entries.map(inside))).flat());
}

/** The same for files that were picked. */
export const picked = (files) => taken(files.map((file) => ({ file, name: file.webkitRelativePath || file.name })));

/**
 * `{files: [{file, name}], left}`: of a folder only photos are taken, and `left` says how many other files it has;
 * what systems keep there for themselves is not spoken of. A file that was picked by itself is taken as it is.
 */
function taken(all) {
  const meant = all.filter(({ name }) => !name.includes("/") || !OF_SYSTEMS.test(name.slice(name.indexOf("/"))));
  const files = meant.filter(({ name }) => !name.includes("/") || PHOTOS.test(name));
  return { files, left: meant.length - files.length };
}

/** A web address in a drop or a paste, or null. */
export function addressIn(transfer) {
  const text = (transfer.getData("text/uri-list") || transfer.getData("text/plain")).split("\n")[0].trim();
  return /^https?:\/\/\S+$/.test(text) ? text : null;
}

async function inside(entry) {
  if (entry.isFile) return [{ file: await asked(entry, "file"), name: entry.fullPath.replace(/^\//, "") }];
  const reader = entry.createReader();
  const found = [];
  for (let some = [1]; some.length; found.push(...some)) some = await asked(reader, "readEntries"); // 100 at a time
  return (await Promise.all(found.map(inside))).flat();
}

const asked = (thing, method) => new Promise((resolve, reject) => thing[method](resolve, reject));
