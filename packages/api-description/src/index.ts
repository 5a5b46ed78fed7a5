export { clientEvents } from './asyncapi/client-events.js';
export { createAsyncApiDocument } from './asyncapi/document.js';
export { serverEvents } from './asyncapi/server-events.js';
export { errorCodes, getErrorEntry } from './errors/error-schemas.js';
export { createDescriptionRoutes } from './http/description-routes.js';
export type { Json, JsonObject } from './json.js';
export { API_VERSION, createOpenApiDocument, type DescriptionOptions } from './openapi/document.js';
