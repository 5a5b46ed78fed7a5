/** Where the server answers, with its ROUTING_PREFIX and without a slash at the end: the page is at `/console/` below it. */
export const serverUrl: string = new URL('..', window.location.href.split(/[?#]/)[0]).href.replace(/\/$/, '');
