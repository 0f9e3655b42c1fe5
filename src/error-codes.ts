/**
 * Every code of a `UserError`, with what it means. docs/errors.md is made from it by `npm run generate`. Codes are
 * interface and written like reasons: they are added, never renamed.
 */
export const ERROR_CODES = {
  FlagsInvalid: 'A flag is unknown, or its value cannot be used.',
  ConfigInvalid:
    'config.yaml cannot be read, or has wrong or unknown keys; all of them are listed.',
  OpenStackCredentials: 'Parts of the OpenStack credential are missing or contradict each other.',
  OpenStackAuthentication: 'Keystone refuses the credential.',
  OpenStackAuthUrl: 'OS_AUTH_URL does not lead to Keystone, or redirects to another address.',
  OpenStackEndpoint: 'The catalog has no endpoint for the service, region and interface asked for.',
  PrometheusConfigInvalid: 'The `prometheus` section cannot work as it stands.',
  ProxyInvalid: 'HTTPS_PROXY, HTTP_PROXY or the proxy of a kubeconfig is not the URL of a proxy.',
  KubeNotConfigured: 'No kubeconfig and no service account was found.',
  KubeNoServiceAccount: "The pod's service account token cannot be read.",
  KubeUnreachable:
    'The API server cannot be reached, or accepts neither certificate nor credential.',
  KubeTokenInvalid: 'A bearer token is empty or has more than one line.',
  KubeExecFailed: 'The command that the kubeconfig names for credentials failed.',
  KubeFileUnreadable: 'A file that the kubeconfig names cannot be read.',
  KubeconfigInvalid: 'The kubeconfig is no valid YAML, or not a kubeconfig.',
  KubeconfigNoContext: 'The kubeconfig has no usable current context.',
  KubeconfigUnsupported: 'The kubeconfig uses something we cannot do.',
  BacktestTraceInvalid: 'A trace has a line, column or number that cannot be read.',
  BacktestScenarioInvalid: 'A scenario is no JSON, or has wrong fields; all of them are listed.',
  BacktestPolicyInvalid: 'The policy file of a backtest cannot be used; all mistakes are listed.',
  BacktestSourceDown: 'Prometheus did not answer while a backtest read its history.',
  BacktestNoHistory: 'The source has no usage numbers for the volumes of the policy.',
  BacktestFileUnreadable: 'A file that a backtest needs cannot be read.',
  BacktestFileUnwritable: 'A file that a backtest should write cannot be written.',
  NoCloud: '`plan` and `explain` have no OpenStack credential; the message says what is missing.',
  CinderUnreachable: 'Cinder does not answer `plan` or `explain`.',
  PermissionMissing: 'The account lacks a rule that a command needs; the message names it.',
  NotFound: 'There is no policy, claim or VolumeMigration of that name.',
  AuditUnreadable: 'The lines that `couchestor audit` should show cannot be read.',
  TooLate:
    'A move has ended or is too far under way to be approved, cancelled or rolled back any more.',
  TooEarly: 'A move has not given its claim another volume yet, so that none can come back.',
  ClaimGrown:
    'A claim was grown since a move gave it another volume, and its former volume is too small to be given back.',
  Ambiguous: 'Several moves could be meant; the message names them.',
  ConfirmationNeeded:
    'A command that cannot be undone was run without `--yes` where there is no terminal to ask at.',
  CrdOutdated: 'The API server drops a field, since a CustomResourceDefinition is too old.',
  RecordUnreadable:
    'The record of a move that gives a claim another volume is gone or cannot be read.',
  DurationInvalid: 'A duration cannot be read; it is written as `90s`, `30m`, `24h`.',
  QuantityInvalid: 'A number with its unit cannot be read.',
  ScheduleInvalid:
    'A schedule is not a cron expression, or its time zone is none of the IANA names.',
} as const

/** How codes were written before all of them became PascalCase, for who finds one in an old log. */
export const FORMER_CODES: Partial<Record<ErrorCode, string>> = {
  FlagsInvalid: 'FLAGS',
  ConfigInvalid: 'config',
  ProxyInvalid: 'PROXY',
  KubeNotConfigured: 'KUBE_NOT_CONFIGURED',
  KubeNoServiceAccount: 'KUBE_NO_SERVICE_ACCOUNT',
  KubeUnreachable: 'KUBE_UNREACHABLE',
  KubeTokenInvalid: 'KUBE_BAD_TOKEN',
  KubeExecFailed: 'KUBE_EXEC_FAILED',
  KubeFileUnreadable: 'KUBE_FILE_UNREADABLE',
  KubeconfigInvalid: 'KUBECONFIG_INVALID',
  KubeconfigNoContext: 'KUBECONFIG_NO_CONTEXT',
  KubeconfigUnsupported: 'KUBECONFIG_UNSUPPORTED',
  NoCloud: 'NO_CLOUD',
  CinderUnreachable: 'CINDER',
  PermissionMissing: 'PERMISSION',
  NotFound: 'NOT_FOUND',
  TooLate: 'TOO_LATE',
  DurationInvalid: 'duration',
  QuantityInvalid: 'quantity',
  ScheduleInvalid: 'schedule',
}

export type ErrorCode = keyof typeof ERROR_CODES
