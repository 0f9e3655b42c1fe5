import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The running lab as `npm run lab up` left it, or undefined: tests on real parts then skip, and CI refuses skips. */
export type Lab = {
  readonly state: string
  /** Every variable of the lab's env file: KUBECONFIG, OS_*, PROMETHEUS_URL, GNOCCHI_URL, CEPH_CONF, PATH. */
  readonly env: Readonly<Record<string, string>>
  readonly kubeconfig: string
  readonly prometheusUrl: string
}

function findLab(): Lab | undefined {
  const state = process.env['COUCHESTOR_LAB_DIR'] ?? '/tmp/couchestor-lab'
  const file = join(state, 'env')
  if (!existsSync(file)) return undefined
  const env: Record<string, string> = {}
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const match = /^export (\w+)=(.*)$/.exec(line)
    if (match) env[match[1]!] = match[2]!.replace('$PATH', process.env['PATH'] ?? '')
  }
  const kubeconfig = env['KUBECONFIG']
  const prometheusUrl = env['PROMETHEUS_URL']
  if (kubeconfig === undefined || prometheusUrl === undefined) return undefined
  return { state, env, kubeconfig, prometheusUrl }
}

export const lab = findLab()

/** The lab, for helpers that only run when a test was not skipped. Throws when none is up. */
export function theLab(): Lab {
  if (lab === undefined) throw new Error('the lab is not up: npm run lab up all')
  return lab
}
