/** The part of `s3rver` that these tests use; the package has no declarations. */
declare module 's3rver' {
  export default class S3rver {
    constructor(options: {
      readonly silent: boolean;
      readonly directory: string;
      readonly vhostBuckets: boolean;
      readonly configureBuckets: readonly { readonly name: string; readonly configs: readonly string[] }[];
    });
    configureBuckets(): Promise<unknown>;
    getMiddleware(): import('node:http').RequestListener;
  }
}
