import { join } from 'node:path'
import { command } from '../lab/command.ts'
import { theLab } from '../lab/env.ts'
import { kubectl } from '../lab/kubectl.ts'

const MODULE = 'github.com/prometheus-operator/prometheus-operator@v0.85.0'
const KINDS = ['servicemonitors', 'podmonitors', 'prometheusrules']

/** The Prometheus operator's own definitions, from its Go module, until `removeMonitoringCrds`. */
export async function applyMonitoringCrds(): Promise<void> {
  const found = await command('go', ['mod', 'download', '-json', MODULE], { env: theLab().env })
  const { Dir } = JSON.parse(found) as { Dir: string }
  const files = KINDS.flatMap((kind) => [
    '-f',
    join(Dir, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${kind}.yaml`),
  ])
  // too large for the annotation of a client-side apply
  await kubectl(['apply', '--server-side', ...files])
  const crds = KINDS.map((kind) => `crd/${kind}.monitoring.coreos.com`)
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds])
}

export async function removeMonitoringCrds(): Promise<void> {
  const crds = KINDS.map((kind) => `${kind}.monitoring.coreos.com`)
  await kubectl(['delete', 'crd', '--ignore-not-found', ...crds])
}
