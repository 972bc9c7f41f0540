/** Messages between tabs of this page, which show the same photos. */

const channel = new BroadcastChannel("sightline");

/** Tell the others that images have come, have changed or are gone. */
export const tellTabs = (kind, ids) => channel.postMessage({ kind, ids });

/** Be told so: `listener({kind, ids})`, where the kind is "came", "changed" or "gone". */
export const onTabs = (listener) => channel.addEventListener("message", ({ data }) => listener(data));
