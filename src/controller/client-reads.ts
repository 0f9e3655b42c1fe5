import type { KubeClient } from '../kube/types.ts'
import type { CopyService } from '../openstack/cinder-copies.ts'
import type { VolumeService } from '../openstack/types.ts'

type KubeReads = Pick<KubeClient, 'get' | 'list' | 'watch' | 'serves' | 'close'>

/** What of the API server's client changes nothing. */
export function kubeReads(kube: KubeClient): KubeReads {
  return {
    get: (...args) => kube.get(...args),
    list: (...args) => kube.list(...args),
    watch: (...args) => kube.watch(...args),
    serves: (resource) => kube.serves(resource),
    close: () => kube.close(),
  }
}

/** What of Cinder's client changes nothing. Method by method: a new one has to be thought of here. */
export function volumeReads(volumes: VolumeService): Omit<VolumeService, 'retype'> {
  return {
    listVolumes: (options) => volumes.listVolumes(options),
    getVolume: (id, signal) => volumes.getVolume(id, signal),
    listSnapshots: (options) => volumes.listSnapshots(options),
    listVolumeTypes: (signal) => volumes.listVolumeTypes(signal),
    getQuota: (signal) => volumes.getQuota(signal),
    listPools: (signal) => volumes.listPools(signal),
    listAvailabilityZones: (signal) => volumes.listAvailabilityZones(signal),
    maxMicroversion: (signal) => volumes.maxMicroversion(signal),
    projectId: (signal) => volumes.projectId(signal),
  }
}

type CopyReads = Pick<
  CopyService,
  | 'getVolume'
  | 'getSnapshot'
  | 'getBackup'
  | 'volumesNamed'
  | 'snapshotsNamed'
  | 'backupsNamed'
  | 'snapshotsOf'
  | 'whyNoBackups'
>

/** The same of what a move by copy needs. */
export function copyReads(copies: CopyService): CopyReads {
  return {
    getVolume: (id, signal) => copies.getVolume(id, signal),
    getSnapshot: (id, signal) => copies.getSnapshot(id, signal),
    getBackup: (id, signal) => copies.getBackup(id, signal),
    volumesNamed: (name, signal) => copies.volumesNamed(name, signal),
    snapshotsNamed: (name, signal) => copies.snapshotsNamed(name, signal),
    backupsNamed: (name, signal) => copies.backupsNamed(name, signal),
    whyNoBackups: (signal) => copies.whyNoBackups(signal),
    snapshotsOf: (volumeId, signal) => copies.snapshotsOf(volumeId, signal),
  }
}
