{{/* In front of the names of objects. */}}
{{- define "couchestor.fullname" -}}
{{- .Values.fullnameOverride | default .Values.nameOverride | default "couchestor" -}}
{{- end }}

{{/* Name of a component's objects. Takes (dict "root" $ "component" …). The exporter has the guide's name. */}}
{{- define "couchestor.name" -}}
{{- $fullname := include "couchestor.fullname" .root -}}
{{- if ne .component "exporter" -}}
{{ $fullname }}-{{ .component }}
{{- else if eq $fullname "couchestor" -}}
ceilometer-exporter
{{- else -}}
{{ $fullname }}-ceilometer-exporter
{{- end }}
{{- end }}

{{- define "couchestor.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end }}

{{/* Name of a component's ServiceAccount. Takes (dict "root" $ "component" …). */}}
{{- define "couchestor.account" -}}
{{- $name := get (get .root.Values .component).serviceAccount "name" -}}
{{- $fullname := include "couchestor.fullname" .root -}}
{{- $name | default (eq .component "controller" | ternary $fullname (printf "%s-%s" $fullname .component)) -}}
{{- end }}

{{/*
Labels of an object. Takes (dict "root" $ "component" "controller" "extra" …); without component for what belongs to no
part. `extra` wins, but for the labels by which pods and Services are found.
*/}}
{{- define "couchestor.labels" -}}
{{- $root := .root -}}
{{- $found := dict "app" (eq (.component | default "") "exporter" | ternary "ceilometer-exporter" "couchestor") -}}
{{- $labels := dict
    "app.kubernetes.io/name" ($root.Values.nameOverride | default "couchestor")
    "app.kubernetes.io/part-of" "couchestor"
    "app.kubernetes.io/instance" $root.Release.Name
    "app.kubernetes.io/version" $root.Chart.AppVersion
    "app.kubernetes.io/managed-by" $root.Release.Service
    "helm.sh/chart" (printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_")) -}}
{{- with .component }}
{{- $_ := set $found "component" . -}}
{{- $_ := set $labels "app.kubernetes.io/component" . -}}
{{- end -}}
{{- if .free }}
{{- toYaml (merge dict (.extra | default dict) $found $labels ($root.Values.commonLabels | default dict)) }}
{{- else }}
{{- toYaml (merge $found $labels (.extra | default dict) ($root.Values.commonLabels | default dict)) }}
{{- end }}
{{- end }}

{{/* `annotations:` of an object, or nothing. Takes (dict "root" $ "extra" …); `extra` wins. */}}
{{- define "couchestor.annotations" -}}
{{- with merge dict (.extra | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The labels by which pods are found: those of the installation guide, which a selector can never change. */}}
{{- define "couchestor.selector" -}}
{{- if eq .component "exporter" -}}
app: ceilometer-exporter
{{- else -}}
app: couchestor
component: {{ .component }}
{{- end }}
{{- end }}

{{/* Labels of a pod. Takes (dict "root" $ "component" … "extra" .Values.….podLabels). The selector's win. */}}
{{- define "couchestor.podLabels" -}}
{{- $selector := include "couchestor.selector" . | fromYaml -}}
{{- $standard := dict "app.kubernetes.io/name" (.root.Values.nameOverride | default "couchestor") "app.kubernetes.io/component" .component "app.kubernetes.io/instance" .root.Release.Name -}}
{{- toYaml (merge $selector $standard (.extra | default dict) (.root.Values.commonLabels | default dict)) }}
{{- end }}

{{/*
`annotations:` of a pod, or nothing. Takes (dict "root" $ "port" … "extra" .Values.….podAnnotations "checksum" …). With the
port of the metrics in it, the community's Prometheus finds the pod; what the values say wins.
*/}}
{{- define "couchestor.podAnnotations" -}}
{{- $m := .root.Values.monitoring -}}
{{- $ours := dict -}}
{{- with .checksum }}{{ $_ := set $ours "checksum/config" . }}{{ end -}}
{{- $monitored := or $m.serviceMonitor.enabled $m.podMonitor.enabled -}}
{{- if or (eq $m.scrapeAnnotations "Always") (and (eq $m.scrapeAnnotations "Auto") (not $monitored)) -}}
{{- $_ := set $ours "prometheus.io/scrape" "true" -}}
{{- $_ := set $ours "prometheus.io/port" (.port | toString) -}}
{{- $_ := set $ours "prometheus.io/path" "/metrics" -}}
{{- end -}}
{{- with merge dict (.extra | default dict) $ours }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The image of all components; a digest wins over the tag. */}}
{{- define "couchestor.image" -}}
{{- with .Values.image -}}
{{- $name := include "couchestor.fromRegistry" (dict "root" $ "name" .repository) -}}
{{- if .digest -}}
{{ $name }}@{{ .digest }}
{{- else -}}
{{ $name }}:{{ .tag | default $.Chart.AppVersion }}
{{- end }}
{{- end }}
{{- end }}

{{/* An image's name with global.imageRegistry in place of its own registry: its first part, where that has a dot or a port. */}}
{{- define "couchestor.fromRegistry" -}}
{{- $registry := (.root.Values.global | default dict).imageRegistry | default "" | trimSuffix "/" -}}
{{- if not $registry -}}
{{ .name }}
{{- else -}}
{{ $registry }}/{{ regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" .name "" }}
{{- end }}
{{- end }}

{{/* Entries of `env` as a list: those of the chart, each replaced where extraEnv has one of its name. Takes (dict "env" (list …) "extra" …). */}}
{{- define "couchestor.env" -}}
{{- $extra := .extra | default list -}}
{{- $taken := list -}}
{{- range $extra }}{{ $taken = append $taken .name }}{{ end -}}
{{- $all := list -}}
{{- range .env }}
{{- if not (has .name $taken) }}
{{- $all = append $all . -}}
{{- $taken = append $taken .name -}}
{{- end }}
{{- end -}}
{{- with concat $all $extra }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* OS_* variables from the Secret of the credential, as the installation guide passes them. */}}
{{- define "couchestor.credentialEnv" -}}
{{- $name := .Values.credentials.secretName -}}
{{- range .Values.credentials.keys }}
- name: {{ . | toYaml }}
  valueFrom:
    secretKeyRef:
      name: {{ $name | toYaml }}
      key: {{ . | toYaml }}
{{- end }}
{{- range .Values.credentials.optionalKeys }}
- name: {{ . | toYaml }}
  valueFrom:
    secretKeyRef:
      name: {{ $name | toYaml }}
      key: {{ . | toYaml }}
      optional: true
{{- end }}
{{- end }}

{{/*
HTTPS_PROXY, HTTP_PROXY and what is reached without them: this pod, the cluster, and a Prometheus named as inside it. The
kubelet puts in the address by which pods reach the API server.
*/}}
{{- define "couchestor.proxyEnv" -}}
{{- with .Values.proxy }}
{{- $direct := list "localhost" "127.0.0.1" "::1" "$(KUBERNETES_SERVICE_HOST)" ".svc" (printf ".%s" (trimPrefix "." .clusterDomain)) -}}
{{- $host := regexReplaceAll ":[0-9]+$" (urlParse (($.Values.config.prometheus | default dict).endpoint | default "")).host "" -}}
{{- if regexMatch "^[a-z0-9-]+([.][a-z0-9-]+)?$" $host }}{{ $direct = append $direct $host }}{{ end -}}
{{- with .noProxy }}{{ $direct = append $direct . }}{{ end -}}
{{- $secret := .existingSecret -}}
{{- range $name, $value := dict "HTTPS_PROXY" .httpsProxy "HTTP_PROXY" .httpProxy }}
{{- if $secret }}
- name: {{ $name | toYaml }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret | toYaml }}
      key: {{ $name | toYaml }}
      optional: true
{{- else if $value }}
- name: {{ $name | toYaml }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if or $secret .httpsProxy .httpProxy .noProxy }}
- name: NO_PROXY
  value: {{ $direct | join "," | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Environment of the controller, which the doctor shares. */}}
{{- define "couchestor.controllerEnv" -}}
{{- $env := `
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace` | fromYamlArray -}}
{{- $first := list (dict "name" "NODE_OPTIONS" "value" .Values.controller.nodeOptions) (dict "name" "COUCHESTOR_LOG_LEVEL" "value" .Values.controller.logLevel) -}}
{{- $credential := list -}}
{{- if eq .Values.credentials.delivery "Environment" }}
{{- $credential = include "couchestor.credentialEnv" . | fromYamlArray -}}
{{- end -}}
{{- $proxy := include "couchestor.proxyEnv" . | fromYamlArray -}}
{{- include "couchestor.env" (dict "env" (concat $first $env $credential $proxy) "extra" .Values.controller.extraEnv) }}
{{- end }}

{{/* Whether security contexts leave user and group to OpenShift. */}}
{{- define "couchestor.dropsFixedIds" -}}
{{- $when := .Values.openshift.dropFixedIds -}}
{{- if or (eq $when "Always") (and (eq $when "Auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}true{{ end }}
{{- end }}

{{/* `securityContext:` of a pod or container, or nothing. Takes (dict "root" $ "security" …). A field that is null is none. */}}
{{- define "couchestor.securityContext" -}}
{{- $security := dict -}}
{{- $fixed := list "runAsUser" "runAsGroup" "fsGroup" "supplementalGroups" -}}
{{- $drops := include "couchestor.dropsFixedIds" .root -}}
{{- range $field, $value := .security | default dict }}
{{- if not (or (kindIs "invalid" $value) (and $drops (has $field $fixed))) }}
{{- $_ := set $security $field $value -}}
{{- end }}
{{- end -}}
{{- with $security }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A probe, or nothing. Takes (dict "name" "livenessProbe" "probe" … "path" … "port" …). */}}
{{- define "couchestor.probe" -}}
{{- if .probe }}
{{- $probe := deepCopy .probe -}}
{{- if not (or (hasKey $probe "httpGet") (hasKey $probe "exec") (hasKey $probe "tcpSocket") (hasKey $probe "grpc")) }}
{{- $_ := set $probe "httpGet" (dict "path" .path "port" .port) -}}
{{- end }}
{{ .name }}:
  {{- toYaml $probe | nindent 2 }}
{{- end }}
{{- end }}

{{/* Secrets for the registry, of this chart and of all charts, each once. */}}
{{- define "couchestor.pullSecrets" -}}
{{- $names := list -}}
{{- range concat (.Values.imagePullSecrets | default list) ((.Values.global | default dict).imagePullSecrets | default list) }}
{{- if kindIs "string" . }}{{ $names = append $names . }}{{ else }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- with uniq $names }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | toYaml }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Fields of a pod that all components have. Takes the component's name and values, and root. */}}
{{- define "couchestor.placement" -}}
{{- include "couchestor.pullSecrets" .root }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | toYaml }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.dnsPolicy }}
dnsPolicy: {{ . | toYaml }}
{{- end }}
{{- with .values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $selector := include "couchestor.selector" . | fromYaml }}
{{- with .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{- toYaml (hasKey . "labelSelector" | ternary . (merge (dict "labelSelector" (dict "matchLabels" $selector)) .)) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Whether a value is neither null nor empty; 0 is given. */}}
{{- define "couchestor.given" -}}
{{- if not (or (kindIs "invalid" .) (eq (toString .) "")) }}true{{ end }}
{{- end }}

{{/* Availability that a PodDisruptionBudget promises. Takes the component's podDisruptionBudget. */}}
{{- define "couchestor.disruption" -}}
{{- if include "couchestor.given" .minAvailable -}}
minAvailable: {{ .minAvailable }}
{{- else -}}
maxUnavailable: {{ if include "couchestor.given" .maxUnavailable }}{{ .maxUnavailable }}{{ else }}1{{ end }}
{{- end }}
{{- end }}

{{/* `automountServiceAccountToken` of a pod: said where it is off, since on is the default. */}}
{{- define "couchestor.automount" -}}
{{- if not .automountServiceAccountToken -}}
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{/* Affinity of the controller: that of the values and the rule that keeps two of them from one node. */}}
{{- define "couchestor.controllerAffinity" -}}
{{- $affinity := deepCopy (.Values.controller.affinity | default dict) -}}
{{- $term := dict "labelSelector" (dict "matchLabels" (dict "app" "couchestor" "component" "controller")) "topologyKey" "kubernetes.io/hostname" -}}
{{- if eq .Values.controller.podAntiAffinity "Required" -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" (list $term)) -}}
{{- else if eq .Values.controller.podAntiAffinity "Preferred" -}}
{{- $preferred := dict "weight" 100 "podAffinityTerm" $term -}}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list $preferred)) -}}
{{- end -}}
{{- with $affinity }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* config.yaml: the values, and the Secret that `credentials` names. */}}
{{- define "couchestor.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $openstack := get $config "openstack" | default dict -}}
{{- $_ := set $openstack "credential_ref" (dict "secret_name" .Values.credentials.secretName "namespace" (include "couchestor.namespace" .)) -}}
{{- $_ := set $config "openstack" $openstack -}}
{{- $first := list "cloud_provider" "openstack" "prometheus" "gnocchi" "tiers" "migration" -}}
{{- $rest := without (keys $config | sortAlpha) "cloud_provider" "openstack" "prometheus" "gnocchi" "tiers" "migration" -}}
{{- range $i, $section := concat $first $rest }}
{{- if hasKey $config $section }}
{{- if $i }}
{{ end }}
{{- if eq $section "prometheus" }}
# Set the address. The preset says where the counters of each volume come from: agent, node-exporter, libvirt, ceph-rbd, custom.
{{- else if eq $section "tiers" }}
# What a StoragePolicy leaves out of its tiers.
{{- else if eq $section "migration" }}
# migration.paused is the stop switch for everything: true starts no move any more, what runs is finished.
{{- end }}
{{ toYaml (pick $config $section) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Ports of the addresses that config.yaml names; nothing for a URL without one, whose port is in the values. */}}
{{- define "couchestor.portOf" -}}
{{- $host := (urlParse .).host -}}
{{- if regexMatch ":[0-9]+$" $host }}{{ regexFind "[0-9]+$" $host }}{{ else if hasPrefix "http:" . }}80{{ else if hasPrefix "socks5" . }}1080{{ else }}443{{ end }}
{{- end }}

{{/* Rules of a NetworkPolicy's egress to ports on the allowed addresses. Takes (dict "root" $ "ports" (list …)). */}}
{{- define "couchestor.egressTo" -}}
- to:
    {{- range .root.Values.networkPolicy.egressCidrs }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- end }}
  ports:
    {{- $seen := list }}
    {{- range .ports }}
    {{- if not (has (int .) $seen) }}
    {{- $seen = append $seen (int .) }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
    {{- end }}
{{- end }}

{{/* Egress to DNS. Any address: it may be a node's own cache. */}}
{{- define "couchestor.egressToDns" -}}
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - protocol: UDP
      port: {{ . }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end }}

{{/* Name, labels and annotations of what is made for `helm test` only, before its pod. */}}
{{- define "couchestor.doctorMetadata" -}}
{{- $hook := dict "helm.sh/hook" "test" "helm.sh/hook-weight" "-1" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
name: {{ include "couchestor.fullname" . }}-doctor
labels:
  {{- include "couchestor.labels" (dict "root" . "component" "doctor") | nindent 2 }}
{{- include "couchestor.annotations" (dict "root" . "extra" $hook) }}
{{- end }}

{{/* What a monitor looks for. Takes (dict "root" $ "component" … "monitor" …). */}}
{{- define "couchestor.monitored" -}}
selector:
  matchLabels:
    {{- include "couchestor.selector" . | nindent 4 }}
{{- if .monitor.namespace }}
namespaceSelector:
  matchNames: [{{ include "couchestor.namespace" .root | toYaml }}]
{{- end }}
{{- end }}

{{/* How a monitor asks. Takes (dict "root" $ "monitor" …). */}}
{{- define "couchestor.endpoint" -}}
- port: metrics
  {{- with .root.Values.monitoring.interval }}
  interval: {{ . | toYaml }}
  {{- end }}
  {{- with .monitor.scrapeTimeout }}
  scrapeTimeout: {{ . | toYaml }}
  {{- end }}
  {{- with .monitor.relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .monitor.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* The rules with what the values change of single alerts. Takes (dict "rules" … "alerts" … "runbooks" …). */}}
{{- define "couchestor.changedRules" -}}
{{- $changes := .alerts | default dict -}}
{{- $runbooks := .runbooks | trimSuffix "/" -}}
{{- $groups := list -}}
{{- range $group := .rules.groups }}
{{- $rules := list -}}
{{- range .rules }}
{{- $rule := . -}}
{{- $change := get $changes (.alert | default "") | default dict -}}
{{- with get $change "for" }}{{ $_ := set $rule "for" . }}{{ end -}}
{{- with get $change "labels" }}{{ $_ := set $rule "labels" (merge dict . $rule.labels) }}{{ end -}}
{{- if and .alert $runbooks }}
{{- $page := base $rule.annotations.runbook_url -}}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s/%s" $runbooks $page) -}}
{{- end -}}
{{- if ne (get $change "enabled" | toString) "false" }}{{ $rules = append $rules $rule }}{{ end -}}
{{- end -}}
{{- with $rules }}{{ $groups = append $groups (set $group "rules" .) }}{{ end -}}
{{- end -}}
{{- toYaml (dict "groups" $groups) }}
{{- end }}
