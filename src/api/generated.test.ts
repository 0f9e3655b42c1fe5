import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { generatedFiles } from '../../tools/generate.ts'

const files = await generatedFiles()

describe('generated files', () => {
  it('are the manifests at the path of the guide, those the program carries, the dashboards and the reference pages', () => {
    expect([...files.keys()].toSorted()).toEqual([
      'charts/couchestor/README.md',
      'charts/couchestor/files/dashboards/couchestor-fleet.json',
      'charts/couchestor/files/dashboards/couchestor-operations.json',
      'charts/couchestor/files/dashboards/couchestor-volume.json',
      'charts/couchestor/files/rules.yaml',
      'charts/couchestor/templates/crds/couchestor.io_storagepolicies.yaml',
      'charts/couchestor/templates/crds/couchestor.io_tieringcheckpoints.yaml',
      'charts/couchestor/templates/crds/couchestor.io_volumemigrations.yaml',
      'charts/couchestor/values.schema.json',
      'crds/couchestor.io_storagepolicies.yaml',
      'deploy/crds/couchestor.io_storagepolicies.yaml',
      'deploy/crds/couchestor.io_tieringcheckpoints.yaml',
      'deploy/crds/couchestor.io_volumemigrations.yaml',
      'docs/alerts.md',
      'docs/errors.md',
      'docs/reference-api.md',
      'docs/reference-config.md',
      'docs/reference-doctor.md',
      'docs/reference-metrics.md',
      'docs/reference-moves.md',
      'docs/reference-reasons.md',
      'src/api/crds.json',
      'tools/monitoring/metrics-catalogue.json',
    ])
  })

  it.each([...files.keys()])('%s is what npm run generate makes of its source', async (path) => {
    expect(await readFile(path, 'utf8')).toBe(files.get(path))
  })
})
