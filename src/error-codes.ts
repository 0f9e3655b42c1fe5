/**
 * Every code of a `UserError`, with what it means. docs/errors.md is made from it by `npm run generate`. Codes are
 * interface: they are added, never renamed.
 */
export const ERROR_CODES = {
  FLAGS: 'A flag is unknown, or its value cannot be used.',
  config: 'config.yaml cannot be read, or has wrong or unknown keys; all of them are listed.',
  OpenStackCredentials: 'Parts of the OpenStack credential are missing or contradict each other.',
  OpenStackAuthentication: 'Keystone refuses the credential.',
  OpenStackAuthUrl: 'OS_AUTH_URL does not lead to Keystone, or redirects to another address.',
  OpenStackEndpoint: 'The catalog has no endpoint for the service, region and interface asked for.',
  PrometheusConfigInvalid: 'The `prometheus` section cannot work as it stands.',
  PROXY: 'HTTPS_PROXY, HTTP_PROXY or the proxy of a kubeconfig is not the URL of a proxy.',
  KUBE_NOT_CONFIGURED: 'No kubeconfig and no service account was found.',
  KUBE_NO_SERVICE_ACCOUNT: "The pod's service account token cannot be read.",
  KUBE_UNREACHABLE:
    'The API server cannot be reached, or accepts neither certificate nor credential.',
  KUBE_BAD_TOKEN: 'A bearer token is empty or has more than one line.',
  KUBE_EXEC_FAILED: 'The command that the kubeconfig names for credentials failed.',
  KUBE_FILE_UNREADABLE: 'A file that the kubeconfig names cannot be read.',
  KUBECONFIG_INVALID: 'The kubeconfig is no valid YAML, or not a kubeconfig.',
  KUBECONFIG_NO_CONTEXT: 'The kubeconfig has no usable current context.',
  KUBECONFIG_UNSUPPORTED: 'The kubeconfig uses something we cannot do.',
  BacktestTraceInvalid: 'A trace has a line, column or number that cannot be read.',
  BacktestScenarioInvalid: 'A scenario is no JSON, or has wrong fields; all of them are listed.',
  BacktestPolicyInvalid: 'The policy file of a backtest cannot be used; all mistakes are listed.',
  BacktestSourceDown: 'Prometheus did not answer while a backtest read its history.',
  BacktestNoHistory: 'The source has no usage numbers for the volumes of the policy.',
  BacktestFileUnreadable: 'A file that a backtest needs cannot be read.',
  BacktestFileUnwritable: 'A file that a backtest should write cannot be written.',
  NO_CLOUD: '`plan` and `explain` have no OpenStack credential; the message says what is missing.',
  CINDER: 'Cinder does not answer `plan` or `explain`.',
  PERMISSION: 'The account lacks a rule that a command needs; the message names it.',
  NOT_FOUND: 'There is no policy, claim or VolumeMigration of that name.',
  TOO_LATE: 'A move has ended or is under way, and cannot be approved or cancelled any more.',
  duration: 'A duration cannot be read; it is written as `90s`, `30m`, `24h`.',
  quantity: 'A number with its unit cannot be read.',
  schedule: 'A schedule is not a cron expression, or its time zone is none of the IANA names.',
} as const

export type ErrorCode = keyof typeof ERROR_CODES
