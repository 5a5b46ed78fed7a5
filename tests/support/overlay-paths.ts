/** Paths that every overlay node serves at the root of its origin; this one too, wherever its other routes are. */
export const OVERLAY_PATHS = [
  '/submit',
  '/lookup',
  '/listTopicManagers',
  '/listLookupServiceProviders',
  '/getDocumentationForTopicManager',
  '/getDocumentationForLookupServiceProvider',
  '/requestSyncResponse',
  '/requestForeignGASPNode',
];

/** Below it, what a play chain has for developers. */
export const DEVELOPMENT_PATH = '/development/';
