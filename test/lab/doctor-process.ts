import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import type { Diagnosis } from '../../src/insight/diagnosis/diagnose.ts'
import type { Finding } from '../../src/insight/diagnosis/finding.ts'
import { theLab } from './env.ts'

export type DoctorRun = {
  readonly code: number | null
  readonly text: string
  /** Undefined unless it printed JSON. */
  readonly diagnosis: Diagnosis | undefined
  /** Codes of problems and warnings. */
  readonly codes: readonly string[]
  finding(code: string): Finding
}

export type DoctorOptions = {
  /** A cloud of the lab's clouds.yaml instead of the operator's variables. */
  readonly cloud?: 'admin' | 'other' | 'couchestor'
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Sections of config.yaml that differ from the lab's. */
  readonly config?: Readonly<Record<string, object>>
}

const OPERATOR = [
  'OS_AUTH_TYPE',
  'OS_APPLICATION_CREDENTIAL_ID',
  'OS_APPLICATION_CREDENTIAL_SECRET',
]

/** Runs the shipped bundle's doctor with -o json, as a person with the lab's kubeconfig does. */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorRun> {
  const folder = mkdtempSync(join(tmpdir(), 'couchestor-doctor-'))
  try {
    const file = join(folder, 'config.yaml')
    writeFileSync(file, dump(configOf(options)))
    const args = [
      'doctor',
      '-o',
      'json',
      '--timeout',
      '60',
      '--config',
      file,
      ...(options.args ?? []),
    ]
    return await run(args, environment(options))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function configOf({ config = {} }: DoctorOptions): object {
  const lab: Record<string, object> = {
    prometheus: { endpoint: theLab().prometheusUrl, lag: '6s' },
  }
  for (const [name, section] of Object.entries(config)) lab[name] = { ...lab[name], ...section }
  return lab
}

function environment({ cloud, env = {} }: DoctorOptions): NodeJS.ProcessEnv {
  const all: NodeJS.ProcessEnv = { ...process.env, ...theLab().env }
  if (cloud !== undefined) {
    for (const name of Object.keys(all)) if (OPERATOR.includes(name)) delete all[name]
    all['OS_CLOUD'] = cloud
  }
  return { ...all, ...env }
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<DoctorRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('node_modules/.bin/node', ['dist/couchestor.js', ...args], { env })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (more: string) => (text += more))
    child.on('error', reject)
    child.on('close', (code) => resolve(resultOf(code, text)))
  })
}

function resultOf(code: number | null, text: string): DoctorRun {
  const diagnosis = text.startsWith('{') ? (JSON.parse(text) as Diagnosis) : undefined
  const findings = diagnosis?.findings ?? []
  return {
    code,
    text,
    diagnosis,
    codes: findings.filter((f) => f.severity !== 'unknown').map((f) => f.code),
    finding: (wanted) => {
      const found = findings.find((f) => f.code === wanted)
      if (found === undefined) throw new Error(`no ${wanted}: ${text}`)
      return found
    },
  }
}
