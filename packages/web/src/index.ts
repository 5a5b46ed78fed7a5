export { addressOf } from './address-of.js';
export { admit } from './admit.js';
export { cors } from './cors.js';
export { answerErrors, answerNotFound, DependencyUnavailableError } from './errors.js';
export { healthRoutes } from './health-routes.js';
export { boundInFlight, OverloadedError } from './in-flight.js';
export { measure } from './measure.js';
export { requestLog } from './request-log.js';
