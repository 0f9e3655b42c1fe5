import type { FlagSpec } from '../cli/flags.ts'

export const CLUSTER_FLAGS = {
  kubeconfig: {
    value: 'FILE',
    help: 'kubeconfig; default: KUBECONFIG, then in-cluster, then ~/.kube/config',
  },
  context: { value: 'NAME', help: 'context of the kubeconfig; default: its current one' },
  cluster: { value: 'NAME', help: 'cluster of the kubeconfig; default: that of the context' },
  user: { value: 'NAME', help: 'user of the kubeconfig; default: that of the context' },
} as const satisfies Record<string, FlagSpec>
