/** Where files come from: dropped (folders too), pasted, or picked. */

/** The files of a drop or a paste, those in folders with their path as a name. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return named([...transfer.files]);
  return (await Promise.all(entries.map(inside))).flat().filter(wanted);
}

/** Files with the names they are sent under. */
export const named = (files) => files.map((file) => ({ file, name: file.webkitRelativePath || file.name })).filter(wanted);

/** Of a folder, not what systems put there for themselves. */
const wanted = ({ name }) => !name.includes("/") || !/\/(\.[^/]*|Thumbs\.db|desktop\.ini)(\/|$)/i.test(name);

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
