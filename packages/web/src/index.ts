export { addressOf } from './address-of.js';
export { admit } from './admit.js';
export { cors } from './cors.js';
export { answerErrors, answerNotFound, DependencyUnavailableError, OverloadedError } from './errors.js';
export { healthRoutes } from './health-routes.js';
export { boundInFlight, type InFlightLimits } from './in-flight.js';
export { measure } from './measure.js';
export { requestLog } from './request-log.js';
export { scheduleFairly, sourceOf } from './schedule-fairly.js';
