// For --import: lets a service find the test's server (TEST_FCM_URL) where it looks for FCM.
const { fetch } = globalThis;
const there = 'https://fcm.googleapis.com/';

globalThis.fetch = (url, init) =>
  String(url).startsWith(there)
    ? fetch(new URL(String(url).slice(there.length), process.env.TEST_FCM_URL), init)
    : fetch(url, init);
