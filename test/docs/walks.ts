import { blocksOf, indentedBlocksOf } from './markdown.ts'
import type { Block } from './markdown.ts'

const COMMANDS = new Set(['sh', 'bash', 'shell'])

/** The pages whose blocks are run one after the other, by the test that does. */
export const WALKED: Readonly<Record<string, string>> = {
  'README.md': 'plain-manifests.lab.test.ts',
  'docs/quick-start.md': 'quick-start.lab.test.ts',
  'docs/from-the-guide.md': 'guide-to-uninstall.lab.test.ts',
  'docs/observe-to-auto.md': 'guide-to-uninstall.lab.test.ts',
  'docs/troubleshooting.md': 'guide-to-uninstall.lab.test.ts',
  'docs/uninstall.md': 'guide-to-uninstall.lab.test.ts',
}

/** What is not run as part of its page: how the block begins, and why. */
export const NOT_RUN: readonly { page: string; begins: string; why: string }[] = [
  {
    page: 'README.md',
    begins: 'helm install',
    why: 'one or the other: quick-start.lab.test.ts runs it',
  },
  {
    page: 'docs/from-the-guide.md',
    begins: 'kubectl apply -f deploy/crds/ -f deploy/rbac.yaml',
    why: 'the other way, without Helm: plain-manifests.lab.test.ts runs it',
  },
  {
    page: 'docs/troubleshooting.md',
    begins: 'kubectl -n couchestor-system get pods',
    why: 'asks for the log of a run that has crashed, and none has; kubelet.lab.test.ts lets one crash',
  },
  {
    page: 'docs/doctor.md',
    begins: 'couchestor doctor    ',
    why: 'the lab has no container to exec into; what its other lines ask is asked in pages that are run',
  },
  {
    page: 'docs/doctor.md',
    begins: 'couchestor doctor -o json | jq',
    why: 'jq is not everywhere; doctor.lab.test.ts reads the same fields',
  },
]

/** All blocks of the page that are to be typed, in order; of the README those of its installation. */
export const commandBlocksOf = (page: string): readonly Block[] =>
  page === 'README.md'
    ? indentedBlocksOf(page, 'Install it')
    : blocksOf(page).filter(({ language }) => COMMANDS.has(language))

/** Those of them that are run. */
export const stepsOf = (page: string): readonly Block[] =>
  commandBlocksOf(page).filter(
    ({ text }) => !NOT_RUN.some((n) => n.page === page && text.startsWith(n.begins)),
  )
