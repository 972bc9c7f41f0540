/** Where the service is: beside this page, or at another origin that the document names. */

const API = new URL(document.querySelector('meta[name="api"]').content, document.baseURI);

/** The whole address of a route, which is given relative to where the API begins. */
export const addressOf = (path) => new URL(path, API).href;
