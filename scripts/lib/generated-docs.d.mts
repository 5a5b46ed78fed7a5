import type * as description from '../../packages/api-description/src/index.js';
import type * as configuration from '../../packages/shared/src/config/index.js';

export type ConfigurationModule = Pick<
  typeof configuration,
  | 'commonLimits'
  | 'databaseClientAliases'
  | 'describeLimits'
  | 'describeVariables'
  | 'networkAliases'
  | 'secretVariables'
>;

export type DescriptionModule = Pick<typeof description, 'createAsyncApiDocument' | 'createOpenApiDocument'>;

/** Each file, by its path in the repository, with the function that makes its new text of the old one. */
export function generatedDocs(
  configuration: ConfigurationModule,
  description: DescriptionModule,
): Record<string, (text: string) => string>;
