export { createOverlayEngine } from './engine/create-overlay-engine.js';
export { parseHostingOrigin } from './hosts/hosting-origin.js';
export { selectSlapTrackers } from './hosts/select-slap-trackers.js';
export { createOverlayApp } from './http/overlay-app.js';
export { queryServiceAds } from './http-client/query-service-ads.js';
export { Overlay } from './overlay.js';
export type { OverlayStorage } from './storage/overlay-storage.js';
export { decodeMessageBoxAd } from './topics/message-box-ad.js';
export { decodeServiceAd } from './topics/service-ad.js';
