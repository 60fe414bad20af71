/** Arguments of `docker_container`, as kreuzwerker/docker 3 has them. */
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import type { Schema } from "../schema.ts";
import { computed, either, labelsBlock, nested, optional, required } from "./define.ts";

const { string, number, bool } = t;
const strings = t.list(string);
const stringSet = t.set(string);
const stringMap = t.map(string);

const networkData = t.object(
  new Map<string, t.Type>([
    ["gateway", string],
    ["global_ipv6_address", string],
    ["global_ipv6_prefix_length", number],
    ["ip_address", string],
    ["ip_prefix_length", number],
    ["ipv6_gateway", string],
    ["mac_address", string],
    ["network_name", string],
  ]),
);

export const containerSchema: Schema = {
  attributes: {
    id: computed(string),
    name: required(string),
    image: required(string),
    bridge: computed(string),
    cgroup_parent: optional(string),
    cgroupns_mode: optional(string),
    command: either(strings),
    container_logs: computed(string),
    container_read_refresh_timeout_milliseconds: optional(number),
    cpu_period: optional(number),
    cpu_quota: optional(number),
    cpu_set: optional(string),
    cpu_shares: optional(number),
    cpus: optional(string),
    destroy_grace_seconds: optional(number),
    dns: optional(stringSet),
    dns_opts: optional(stringSet),
    dns_search: optional(stringSet),
    domainname: optional(string),
    entrypoint: either(strings),
    env: either(stringSet),
    exit_code: computed(number),
    gpus: optional(string),
    group_add: optional(stringSet),
    hostname: either(string),
    init: either(bool),
    ipc_mode: either(string),
    log_driver: either(string),
    log_opts: optional(stringMap),
    max_retry_count: optional(number),
    memory: optional(number),
    memory_reservation: optional(number),
    memory_swap: optional(number),
    must_run: optional(bool),
    network_data: computed(t.list(networkData)),
    network_mode: optional(string),
    pid_mode: optional(string),
    platform: either(string),
    privileged: optional(bool),
    publish_all_ports: optional(bool),
    read_only: optional(bool),
    remove_volumes: optional(bool),
    restart: optional(string),
    runtime: either(string),
    security_opts: either(stringSet),
    shm_size: either(number),
    start: optional(bool),
    stdin_open: optional(bool),
    stop_signal: either(string),
    stop_timeout: either(number),
    storage_opts: optional(stringMap),
    sysctls: optional(stringMap),
    tmpfs: optional(stringMap),
    tty: optional(bool),
    user: optional(string),
    userns_mode: optional(string),
    working_dir: optional(string),
    // Only ever at their defaults here.
    attach: computed(bool),
    logs: computed(bool),
    rm: computed(bool),
    wait: computed(bool),
    wait_timeout: computed(number),
  },
  blocks: {
    capabilities: nested("set", { add: optional(stringSet), drop: optional(stringSet) }, { max: 1 }),
    devices: nested("set", {
      host_path: required(string),
      container_path: optional(string),
      permissions: optional(string),
    }),
    healthcheck: nested(
      "list",
      {
        test: optional(strings),
        interval: optional(string),
        timeout: optional(string),
        start_period: optional(string),
        start_interval: optional(string),
        retries: optional(number),
      },
      { max: 1 },
    ),
    host: nested("set", { host: required(string), ip: required(string) }),
    labels: labelsBlock,
    mounts: nested(
      "set",
      {
        target: required(string),
        type: required(string),
        source: optional(string),
        read_only: optional(bool),
      },
      {
        blocks: {
          bind_options: nested("list", { propagation: optional(string) }, { max: 1 }),
          tmpfs_options: nested("list", { mode: optional(number), size_bytes: optional(number) }, { max: 1 }),
          volume_options: nested(
            "list",
            {
              driver_name: optional(string),
              driver_options: optional(stringMap),
              no_copy: optional(bool),
              subpath: optional(string),
            },
            { max: 1, blocks: { labels: labelsBlock } },
          ),
        },
      },
    ),
    networks_advanced: nested("set", {
      name: required(string),
      aliases: optional(stringSet),
      driver_opts: optional(stringSet),
      gw_priority: optional(number),
      ipv4_address: optional(string),
      ipv6_address: optional(string),
      link_local_ips: optional(stringSet),
      mac_address: optional(string),
    }),
    ports: nested("list", {
      internal: required(number),
      external: either(number),
      ip: optional(string),
      protocol: optional(string),
    }),
    ulimit: nested("set", { name: required(string), soft: required(number), hard: required(number) }),
    volumes: nested("set", {
      container_path: optional(string),
      from_container: optional(string),
      host_path: optional(string),
      read_only: optional(bool),
      selinux_relabel: optional(string),
      volume_name: optional(string),
    }),
  },
};

export const containerDefaults: Readonly<Record<string, Value>> = {
  attach: v.bool(false),
  container_read_refresh_timeout_milliseconds: v.int(15_000),
  logs: v.bool(false),
  must_run: v.bool(true),
  network_mode: v.str("bridge"),
  read_only: v.bool(false),
  remove_volumes: v.bool(true),
  restart: v.str("no"),
  rm: v.bool(false),
  start: v.bool(true),
  stdin_open: v.bool(false),
  tty: v.bool(false),
  wait: v.bool(false),
  wait_timeout: v.int(60),
  "devices.permissions": v.str("rwm"),
  "healthcheck.interval": v.str("0s"),
  "healthcheck.timeout": v.str("0s"),
  "healthcheck.start_period": v.str("0s"),
  "healthcheck.start_interval": v.str("0s"),
  "healthcheck.retries": v.int(0),
  "ports.ip": v.str("0.0.0.0"),
  "ports.protocol": v.str("tcp"),
  "ports.external": v.int(0),
};

/** What `POST /containers/{id}/update` changes. */
export const updatable: readonly string[] = [
  "restart",
  "max_retry_count",
  "cpu_shares",
  "cpu_set",
  "cpu_period",
  "cpu_quota",
  "cpus",
  "memory",
  "memory_reservation",
  "memory_swap",
];

/** What concerns only how we treat the container. */
export const ours: readonly string[] = [
  "must_run",
  "start",
  "destroy_grace_seconds",
  "remove_volumes",
  "container_read_refresh_timeout_milliseconds",
];

/** Templates with these go to Terraform. */
export const unsupported: readonly string[] = [
  "attach",
  "device_read_bps",
  "device_read_iops",
  "device_requests",
  "device_write_bps",
  "device_write_iops",
  "logs",
  "rm",
  "timeouts",
  "upload",
  "wait",
  "wait_timeout",
];
