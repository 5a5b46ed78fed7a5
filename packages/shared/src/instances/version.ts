/** The version of this software: that of the packages. A test keeps them equal. */
export const VERSION = '0.1.0';
