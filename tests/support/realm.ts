/**
 * Jest runs every suite in a context of its own, so an error made by Node itself (a refused connection, a missing
 * file) is not `instanceof` the suite's `Error`. The code under test asks exactly that: answer as plain Node does.
 */
import { types } from 'node:util';

const ordinary = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
  configurable: true,
  value(this: unknown, value: unknown): boolean {
    return ordinary.call(this as ErrorConstructor, value) || (this === Error && types.isNativeError(value));
  },
});
