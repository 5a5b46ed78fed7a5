import type { ErrorCode } from '../errors/catalogue.js';
import { describeErrors, getErrorDetails } from '../errors/error-schemas.js';
import type { JsonObject } from '../json.js';
import { closedObject, type Properties, type Schema } from '../schema.js';

/**
 * The data of an event that refuses something with one of these codes.
 *
 * @param optional properties that may be missing
 * @param withDetails whether it has the additional fields of its code, as sends have
 */
export function createRefusalSchema(
  codes: readonly ErrorCode[],
  properties: Properties,
  optional: readonly string[],
  withDetails = false,
): Schema {
  const details = (code: ErrorCode) => (withDetails ? getErrorDetails(code) : { properties: {}, optional: [] });
  const isPlain = (code: ErrorCode) => Object.keys(details(code).properties).length === 0;
  const toSchema = (code: JsonObject, more = details('ERR_INTERNAL')) =>
    closedObject({ ...properties, code, ...more.properties }, [...optional, ...more.optional]);
  const plain = toSchema({ enum: codes.filter(isPlain) });
  const detailed = codes.filter((code) => !isPlain(code)).map((code) => toSchema({ const: code }, details(code)));
  return {
    description: describeErrors(codes),
    ...(detailed.length === 0 ? plain : { oneOf: [plain, ...detailed] }),
  };
}
