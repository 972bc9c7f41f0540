/** Where the tiles of a grid go: rows of one height that fill the width, as wide as their photos. */

export const CAPTION = 48; // pixels below each photo
const GAP = 12;
export const HEADING = 44; // pixels above the first row of a group
const NARROWEST = 0.62; // width to height; stranger shapes are cropped
const WIDEST = 2.4;

/** The height that rows are near to, for a grid of `width` pixels. */
const wanted = (width) => (width < 480 ? 130 : width < 900 ? 170 : 210);

/**
 * Rows `{top, height, photo, items: [{id, left, width}]}` for tiles `[{id, ratio, group}]`, in pixels; `photo`
 * is the height without the caption. Another group begins a row, which has room for a heading above it; so does the
 * tile `seam`, without a heading.
 */
export function rows(tiles, width, seam) {
  const made = [];
  let [row, ratios, top] = [[], 0, 0];
  const target = wanted(width);
  let group;
  for (const tile of tiles) {
    const heads = tile.group !== group;
    if ((heads || tile.id === seam) && row.length) {
      top = close(made, row, target, top, group);
      [row, ratios] = [[], 0];
    }
    if (heads) top += HEADING;
    group = tile.group;
    const ratio = Math.min(WIDEST, Math.max(NARROWEST, tile.ratio));
    row.push({ id: tile.id, ratio });
    ratios += ratio;
    const room = width - GAP * (row.length - 1);
    if (room / ratios > target) continue;
    top = close(made, row, room / ratios, top, group);
    [row, ratios] = [[], 0];
  }
  if (row.length) close(made, row, target, top, group);
  return made;
}

/** The height of all rows. */
export const heightOf = (made) => (made.length ? made.at(-1).top + made.at(-1).height : 0);

/** The rows that touch the pixels from `from` to `to`. */
export function between(made, from, to) {
  const first = firstEnding(made, from);
  let last = first;
  while (last < made.length && made[last].top < to) last += 1;
  return made.slice(first, last);
}

function close(made, row, photo, top, group) {
  const height = photo + CAPTION;
  let left = 0;
  const items = row.map(({ id, ratio }) => {
    const item = { id, left, width: ratio * photo };
    left += item.width + GAP;
    return item;
  });
  made.push({ top, height, photo, items, group, heads: group !== undefined && made.at(-1)?.group !== group });
  return top + height + GAP;
}

function firstEnding(made, from) {
  let [low, high] = [0, made.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (made[middle].top + made[middle].height < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
