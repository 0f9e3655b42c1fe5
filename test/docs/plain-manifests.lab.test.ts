import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NAMESPACE } from '../chart/helm.ts'
import { buildController } from '../lab/controller-process.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { theLab } from '../lab/env.ts'
import { install } from '../lab/install.ts'
import { kubectl } from '../lab/kubectl.ts'
import { installTheGuide, makeClaim } from './guide-installation.ts'
import { neverInstalled } from './never-installed.ts'
import { aReader } from './reader.ts'
import type { Reader } from './reader.ts'
import { commandBlocksOf, stepsOf } from './walks.ts'

const README = stepsOf('README.md').map(({ text }) => [text.split('\n')[0]!, text])
const IMAGES = 'jsonpath={.items[*].spec.template.spec.containers[0].image}'

/** The block of a page under docs/ that begins like this. */
function block(page: string, begins: string): string {
  const found = commandBlocksOf(`docs/${page}.md`).find((b) => b.text.trim().startsWith(begins))
  if (found === undefined) throw new Error(`no block of ${page} begins with ${begins}`)
  return found.text
}

async function available(): Promise<void> {
  for (const name of ['deployment/couchestor-controller', 'daemonset/couchestor-agent'])
    await kubectl(['-n', NAMESPACE, 'rollout', 'status', name, '--timeout=110s'])
}

/** Everything of ours, but CRDs and the namespace with what the reader has put there. */
async function left(): Promise<readonly string[]> {
  const kinds = 'clusterrole,clusterrolebinding,validatingadmissionpolicy'
  const inside = 'deployment,daemonset,service,configmap,role,poddisruptionbudget,networkpolicy'
  const wide = await kubectl(['get', kinds, '-o', 'name'])
  const narrow = await kubectl(['-n', NAMESPACE, 'get', inside, '-o', 'name'])
  return `${wide}${narrow}`.split('\n').filter((name) => /couchestor(?!-lab)/.test(name))
}

describeLab('the plain manifests, word for word', () => {
  let reader: Reader
  let folder: string

  beforeAll(async () => {
    await buildController()
    folder = mkdtempSync(join(tmpdir(), 'couchestor-plain-'))
    cpSync('deploy', join(folder, 'deploy'), { recursive: true })
    // the one thing that the README has its reader change
    const config = join(folder, 'deploy/config.yaml')
    const text = readFileSync(config, 'utf8')
    writeFileSync(config, text.replace(/(endpoint: )http:.*/, `$1${theLab().prometheusUrl}`))
    reader = aReader(folder)
  })
  afterAll(async () => {
    reader.leave()
    rmSync(folder, { recursive: true, force: true })
    await kubectl(['delete', 'pvc/my-claim', '--ignore-not-found'])
    await neverInstalled()
    // other tests find the lab as it was
    await install()
  })

  describe("over the guide's", () => {
    beforeAll(async () => {
      await neverInstalled()
      await installTheGuide()
    })

    it('take their place', async () => {
      await reader.follow(block('from-the-guide', 'kubectl apply -f deploy/crds/'))
      await available()
      const images = await kubectl(['-n', NAMESPACE, 'get', 'deploy,ds', '-o', IMAGES])
      expect(images).not.toContain(':latest')
    })

    it('and go as uninstall.md says', async () => {
      await reader.follow(block('uninstall', 'kubectl delete -f deploy/exporter.yaml'))
      expect(await left()).toEqual([])
    })
  })

  describe("as in the README's installation", () => {
    beforeAll(async () => {
      await neverInstalled()
      await makeClaim('my-claim')
    })

    it.each(README)('%s', async (_, text = '') => {
      await expect(reader.follow(text)).resolves.toHaveProperty('code', 0)
      if (text.includes('deploy/controller.yaml')) await available()
    })

    it('and go as uninstall.md says', async () => {
      await reader.follow(block('uninstall', 'kubectl delete -f deploy/exporter.yaml'))
      expect(await left()).toEqual([])
    })
  })
})
