import { randomUUID } from 'node:crypto'
import { DEFAULT_NAMESPACE } from '../api/names.ts'
import { Audit } from '../audit/audit.ts'
import type { AuditSink } from '../audit/audit.ts'
import { checkClean, CLEAN_FLAGS, runClean } from '../cli/clean/run-clean.ts'
import { readCommandLine } from '../cli/flags.ts'
import { KEYSTONE_LOGIN, readsOnly } from '../cli/reads-only.ts'
import { auditedCopies } from '../controller/audited-copies.ts'
import { whoAmI } from '../insight/who.ts'
import { silentLog } from '../log.ts'
import { createCinderReader } from '../openstack/cinder-call.ts'
import { createCopyService } from '../openstack/cinder-copies.ts'
import { markedRows } from '../openstack/cinder-marked.ts'
import { auditSink } from './audit-sink.ts'
import { cloudSession, clusterClient, configOf, READING_FLAGS } from './cluster-clients.ts'
import { systemAsk } from './system-ask.ts'
import { systemClock } from './system-clock.ts'
import { systemTerminal } from './system-terminal.ts'

const { prometheus: _, ...CLUSTER } = READING_FLAGS
export const CLEAN_COMMAND_FLAGS = { ...CLEAN_FLAGS, ...CLUSTER }

const WORDS = {
  least: 0,
  most: 1000,
  usage: 'ids of volumes, snapshots and backups',
  check: checkClean,
}

/** Who we are is asked by a POST that stores nothing. */
const REVIEWS = /\/selfsubjectreviews$/

/** Without a file what was done is only on standard output, in words. */
const NOWHERE: AuditSink = { write: () => Promise.resolve() }

/** `couchestor clean`. Resolves to the exit code. */
export async function runCleanCommand(args: readonly string[]): Promise<number> {
  const { flags, words } = readCommandLine('clean', args, CLEAN_COMMAND_FLAGS, WORDS)
  const { kube } = await clusterClient(flags, (http) => readsOnly(http, REVIEWS))
  const namespace = flags['system-namespace'] ?? DEFAULT_NAMESPACE
  const config = await configOf(flags, kube, namespace, systemTerminal)
  const session = await cloudSession({ kube, namespace, config }, (http) =>
    flags['dry-run'] === 'true' ? readsOnly(http, KEYSTONE_LOGIN) : http,
  )
  const reader = createCinderReader({ session, log: silentLog })
  const cinder = { session, reader, log: silentLog }
  const { path } = config.audit
  const audit = new Audit({
    sink: path === undefined ? NOWHERE : auditSink(() => path, process.stdout),
    clock: systemClock,
    processClock: systemClock,
    observer: { epoch: 0, generationOf: () => undefined },
  })
  const code = await runClean(
    { flags, words },
    {
      kube,
      rows: (isMarked) => markedRows(cinder, isMarked),
      copies: auditedCopies(createCopyService(cinder), audit),
      projectId: () => session.projectId(),
      uuid: randomUUID,
      who: await whoAmI(kube),
      terminal: systemTerminal,
      systemNamespace: namespace,
      ask: systemAsk,
    },
  )
  await audit.close()
  await kube.close()
  return code
}
