import type { CatalogueEntry } from '../groups.ts'

/** Volume types, tiers, StorageClasses. */
export const TYPES = {
  TierTypeMissing: {
    group: 'types',
    severity: 'problem',
    meaning: 'A tier names a volume type that Cinder does not have, or the project may not use.',
    why: 'the policy is not acted on',
    fix: 'correct the name, or: openstack volume type create <type>',
  },
  TierTypeUnnamed: {
    group: 'types',
    severity: 'problem',
    meaning: 'Nothing says which volume type a tier has.',
    why: 'the policy is not acted on',
    fix: 'set tiers[].cinderVolumeType in the StoragePolicy',
  },
  TierTypeAmbiguous: {
    group: 'types',
    severity: 'problem',
    meaning: 'Several volume types have the name that a tier gives.',
    why: 'the policy is not acted on',
    fix: 'write the id of the type instead of its name',
  },
  TiersSameType: {
    group: 'types',
    severity: 'problem',
    meaning: 'Two tiers of a policy have the same volume type.',
    why: 'a move between them would change nothing; the policy is not acted on',
    fix: 'give each tier a volume type of its own',
  },
  TiersInvalid: {
    group: 'types',
    severity: 'problem',
    meaning: 'Tiers of a policy have the same name, no limit, or are not listed fastest first.',
    why: 'the policy is not acted on',
    fix: 'list the tiers fastest first, each with its own name and a threshold',
  },
  PricesInvalid: {
    group: 'types',
    severity: 'problem',
    meaning: 'Only some tiers have a price, or prices do not fall from tier to tier.',
    why: 'the policy is not acted on',
    fix: 'give every tier a costPerGiBMonth, falling, or none',
  },
  TypeNoAccess: {
    group: 'types',
    severity: 'problem',
    meaning:
      'The type of a tier is private and the project has no access (seen with admin rights).',
    why: 'Cinder would retype volumes to it all the same, and then none could be created or restored there',
    fix: 'openstack volume type set --project <project> <type>',
  },
  SpecUnscoped: {
    group: 'types',
    severity: 'problem',
    meaning:
      'A volume type has an unscoped extra spec that no backend reports, such as couchestor_tier of the guide.',
    why: 'the scheduler of Cinder takes it for a capability that a backend must have: every create and every move to this type fails with "No valid backend"',
    fix: 'openstack volume type unset --property <key> <type>, by an administrator; with a scope it does no harm: --property couchestor:tier=<tier>',
  },
  BackendMissing: {
    group: 'types',
    severity: 'problem',
    meaning: 'A volume type names a backend that no pool reports (seen with admin rights).',
    why: 'every create and every move to this type fails with "No valid backend"',
    fix: 'openstack volume type set --property volume_backend_name=<backend> <type>, or start the cinder-volume of that backend',
  },
  SpecsHidden: {
    group: 'types',
    severity: 'unknown',
    meaning: 'The credential does not see extra specs, so that they cannot be checked.',
    why: 'an unscoped couchestor_tier (as in the guide) makes every create on a real Cinder fail, and two tiers may share one backend',
    fix: 'let an administrator run: openstack volume type list --long. volume_backend_name must differ between tiers; any other property needs a scope (couchestor:tier, not couchestor_tier), or must be a capability that the backend reports',
  },
  TiersShareBackend: {
    group: 'types',
    severity: 'warning',
    meaning: 'Two tiers have the same volume_backend_name (seen with admin rights).',
    why: 'a move between them changes QoS at most, not the place: it saves only what the price list says and frees no expensive disk',
    fix: 'openstack volume type set --property volume_backend_name=<backend> <type> on a new, unused type; types in use cannot be changed',
  },
  CreateFails: {
    group: 'types',
    severity: 'problem',
    meaning: 'Cinder lately found no backend for new volumes of the type of a tier.',
    why: 'claims of that StorageClass stay Pending, and moves to the type fall back silently',
    fix: 'let an administrator check the extra specs of the type: openstack volume type show <type>; and the pools: cinder get-pools --detail',
  },
  TypeZones: {
    group: 'types',
    severity: 'warning',
    meaning: 'The type of a tier is not for a zone in which managed volumes lie.',
    why: 'a move would carry the volume to another zone, where no node of its PersistentVolume can use it; such moves are blocked',
    fix: 'openstack volume type set --property RESKEY:availability_zones=<zones> <type>, by an administrator',
  },
  FrontEndQos: {
    group: 'types',
    severity: 'warning',
    meaning:
      'The types of two tiers have different QoS in the hypervisor (seen with admin rights).',
    why: 'Cinder refuses to retype attached volumes between them (400); they move at the next detach',
    fix: 'openstack volume qos set --consumer back-end <qos> where the backend can do it, or set migration.attached: Never',
  },
  QosHidden: {
    group: 'types',
    severity: 'unknown',
    meaning: 'The credential does not see the QoS of the types.',
    why: 'QoS that the hypervisor enforces (front-end) and that differs between tiers forbids moves of attached volumes',
    fix: 'let an administrator run: openstack volume qos list; consumer must be back-end for the types of the tiers, or the same QoS must belong to all',
  },
  AttachedUnproven: {
    group: 'attached',
    severity: 'warning',
    meaning:
      'It is not proven that this Cinder keeps the data of attached volumes, so these wait for their next detach.',
    why: 'some releases (19.0.0 to 21.3.1, 22.0.0 to 22.1.1, 23.0.0) lose the data of an attached RBD volume at a retype and report success (Launchpad 2019190; docs/supported-versions.md)',
    fix: 'upgrade Cinder to 24.0.0 or later; or give each type a scoped spec: openstack volume type set --property couchestor:tier=<tier> <type>, before the type is used',
  },
  AttachedOnWord: {
    group: 'attached',
    severity: 'unknown',
    meaning:
      'migration.attached is Allow, and nothing that this credential sees proves that it is safe.',
    why: 'on releases 19.0.0 to 21.3.1, 22.0.0 to 22.1.1 and 23.0.0 the data of an attached RBD volume is lost at a retype (Launchpad 2019190; docs/supported-versions.md)',
    fix: 'let an administrator check the release (cinder-manage --version), or set migration.attached: Auto',
  },
  CsiDriverMissing: {
    group: 'csi',
    severity: 'problem',
    meaning: 'The Cinder CSI driver is not installed.',
    why: 'only volumes of cinder.csi.openstack.org are managed',
    fix: 'helm install cinder-csi cpo/openstack-cinder-csi --namespace kube-system',
  },
  TierClassMissing: {
    group: 'csi',
    severity: 'warning',
    meaning: 'A tier names a StorageClass that is not in the cluster.',
    why: 'no one can create a claim on that tier; moves to it work',
    fix: 'create the StorageClass, or correct tiers[].storageClass',
  },
  TierClassOtherType: {
    group: 'csi',
    severity: 'warning',
    meaning: 'The StorageClass of a tier makes volumes of another type.',
    why: 'a new claim of that class does not start on the tier its name promises',
    fix: 'let parameters.type of a new StorageClass and tiers[].cinderVolumeType agree (parameters cannot be changed)',
  },
  TierClassOtherDriver: {
    group: 'csi',
    severity: 'warning',
    meaning: 'The StorageClass of a tier belongs to another driver.',
    why: 'its volumes are not of Cinder and are never moved',
    fix: 'name a StorageClass whose provisioner is cinder.csi.openstack.org',
  },
  RestoreFails: {
    group: 'csi',
    severity: 'problem',
    meaning:
      'Volumes have moved away from the type of their StorageClass, and there is no StorageClass without a type.',
    why: 'restoring a snapshot or cloning a claim with its own StorageClass fails: "Invalid volume_type provided"',
    fix: 'kubectl apply -f deploy/samples/storage-class-restore.yaml, and restore with that class',
  },
  RestoreClassMissing: {
    group: 'csi',
    severity: 'warning',
    meaning: 'There is no StorageClass without a type, and volumes will move.',
    why: 'after a move, restores and clones with the own StorageClass of the claim fail; a class without parameters.type takes the type of the snapshot',
    fix: 'kubectl apply -f deploy/samples/storage-class-restore.yaml',
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>
