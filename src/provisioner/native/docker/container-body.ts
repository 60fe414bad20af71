/** A container's arguments → what the Engine API is sent, and its answer → arguments. Pure. */
import { parseDuration } from "#util/duration.ts";
import { blocksOf, type Fields, labelsOf, num, str, textMap, texts } from "./define.ts";
import { at, isRecord, numberAt, recordAt, textAt, textsAt } from "./json.ts";

const mebibyte = 1024 * 1024;

const orNothing = <T>(name: string, value: T): Record<string, T> =>
  value === "" || value === 0 || value === false ? {} : { [name]: value };

/** The names that containers are told by, and the API's for them. */
const hostTexts = {
  cgroup_parent: "CgroupParent",
  cgroupns_mode: "CgroupnsMode",
  cpu_set: "CpusetCpus",
  ipc_mode: "IpcMode",
  network_mode: "NetworkMode",
  pid_mode: "PidMode",
  runtime: "Runtime",
  userns_mode: "UsernsMode",
} as const;
const hostNumbers = { cpu_shares: "CpuShares", cpu_period: "CpuPeriod", cpu_quota: "CpuQuota" } as const;
const hostLists = {
  dns: "Dns",
  dns_opts: "DnsOptions",
  dns_search: "DnsSearch",
  group_add: "GroupAdd",
  security_opts: "SecurityOpt",
} as const;
const hostMaps = { storage_opts: "StorageOpt", sysctls: "Sysctls", tmpfs: "Tmpfs" } as const;
const hostFlags = {
  init: "Init",
  privileged: "Privileged",
  publish_all_ports: "PublishAllPorts",
  read_only: "ReadonlyRootfs",
} as const;

/** Limits and restart policy: also what an update in place sends. */
export function resources(fields: Fields): Record<string, unknown> {
  const swap = num(fields["memory_swap"]);
  return {
    ...orNothing("CpuShares", num(fields["cpu_shares"])),
    ...orNothing("CpuPeriod", num(fields["cpu_period"])),
    ...orNothing("CpuQuota", num(fields["cpu_quota"])),
    ...orNothing("CpusetCpus", str(fields["cpu_set"])),
    ...orNothing("NanoCpus", Math.round(Number(str(fields["cpus"]) || 0) * 1e9)),
    ...orNothing("Memory", num(fields["memory"]) * mebibyte),
    ...orNothing("MemoryReservation", num(fields["memory_reservation"]) * mebibyte),
    ...orNothing("MemorySwap", swap > 0 ? swap * mebibyte : swap),
    RestartPolicy: {
      Name: str(fields["restart"]) || "no",
      MaximumRetryCount: num(fields["max_retry_count"]),
    },
  };
}

function mount(block: Fields): Record<string, unknown> {
  const [bind] = blocksOf(block["bind_options"]);
  const [tmpfs] = blocksOf(block["tmpfs_options"]);
  const [volume] = blocksOf(block["volume_options"]);
  return {
    Type: block["type"],
    Target: block["target"],
    ...orNothing("Source", str(block["source"])),
    ReadOnly: block["read_only"] === true,
    ...(bind ? { BindOptions: orNothing("Propagation", str(bind["propagation"])) } : {}),
    ...(tmpfs
      ? {
          TmpfsOptions: {
            ...orNothing("SizeBytes", num(tmpfs["size_bytes"])),
            ...orNothing("Mode", num(tmpfs["mode"])),
          },
        }
      : {}),
    ...(volume
      ? {
          VolumeOptions: {
            NoCopy: volume["no_copy"] === true,
            Labels: labelsOf(volume["labels"]),
            ...orNothing("Subpath", str(volume["subpath"])),
            ...(volume["driver_name"]
              ? { DriverConfig: { Name: volume["driver_name"], Options: textMap(volume["driver_options"]) } }
              : {}),
          },
        }
      : {}),
  };
}

/** `source:target:options`, or what another container has. */
function binds(blocks: readonly Fields[]): { Binds: string[]; VolumesFrom: string[]; Volumes: string[] } {
  const out: ReturnType<typeof binds> = { Binds: [], VolumesFrom: [], Volumes: [] };
  for (const block of blocks) {
    const from = str(block["from_container"]);
    const path = str(block["container_path"]);
    const options = [
      ...(block["read_only"] === true ? ["ro"] : []),
      ...[str(block["selinux_relabel"])].filter(Boolean),
    ];
    const suffix = options.length > 0 ? `:${options.join(",")}` : "";
    const source = str(block["volume_name"]) || str(block["host_path"]);
    if (from !== "") out.VolumesFrom.push(`${from}${block["read_only"] === true ? ":ro" : ""}`);
    else if (source !== "") out.Binds.push(`${source}:${path}${suffix || ":rw"}`);
    else out.Volumes.push(path);
  }
  return out;
}

const portName = (port: Fields): string => `${num(port["internal"])}/${str(port["protocol"]) || "tcp"}`;

function health(block: Fields): Record<string, unknown> {
  const nanoseconds = (name: string): number => parseDuration(str(block[name]) || "0s") * 1e6;
  return {
    Test: texts(block["test"]),
    Interval: nanoseconds("interval"),
    Timeout: nanoseconds("timeout"),
    StartPeriod: nanoseconds("start_period"),
    ...orNothing("StartInterval", nanoseconds("start_interval")),
    Retries: num(block["retries"]),
  };
}

function capability(name: string): string {
  return name.startsWith("CAP_") || name === "ALL" ? name : `CAP_${name}`;
}

function hostConfig(fields: Fields): Record<string, unknown> {
  const pick = <T>(names: Readonly<Record<string, string>>, read: (name: string) => T | undefined) =>
    Object.fromEntries(
      Object.entries(names).flatMap(([name, api]) => {
        const value = read(name);
        return value === undefined ? [] : [[api, value] as const];
      }),
    );
  const ports = blocksOf(fields["ports"]);
  const bindings = new Map<string, { HostIp: string; HostPort: string }[]>();
  for (const port of ports) {
    const list = bindings.get(portName(port)) ?? [];
    list.push({ HostIp: str(port["ip"]), HostPort: String(num(port["external"]) || "") });
    bindings.set(portName(port), list);
  }
  const [capabilities] = blocksOf(fields["capabilities"]);
  const { Binds, VolumesFrom } = binds(blocksOf(fields["volumes"]));
  return {
    ...resources(fields),
    ...pick(hostTexts, (name) => str(fields[name]) || undefined),
    ...pick(hostNumbers, (name) => num(fields[name]) || undefined),
    ...pick(hostLists, (name) => (texts(fields[name]).length > 0 ? texts(fields[name]) : undefined)),
    ...pick(hostMaps, (name) =>
      Object.keys(textMap(fields[name])).length > 0 ? textMap(fields[name]) : undefined,
    ),
    ...pick(hostFlags, (name) => (typeof fields[name] === "boolean" ? fields[name] : undefined)),
    ...orNothing("ShmSize", num(fields["shm_size"]) * mebibyte),
    ...(str(fields["log_driver"]) === ""
      ? {}
      : { LogConfig: { Type: fields["log_driver"], Config: textMap(fields["log_opts"]) } }),
    Binds,
    VolumesFrom,
    Mounts: blocksOf(fields["mounts"]).map(mount),
    PortBindings: Object.fromEntries(bindings),
    ExtraHosts: blocksOf(fields["host"]).map(({ host, ip }) => `${str(host)}:${str(ip)}`),
    CapAdd: texts(capabilities?.["add"]).map(capability),
    CapDrop: texts(capabilities?.["drop"]).map(capability),
    Devices: blocksOf(fields["devices"]).map((block) => ({
      PathOnHost: block["host_path"],
      PathInContainer: block["container_path"] || block["host_path"],
      CgroupPermissions: block["permissions"] || "rwm",
    })),
    Ulimits: blocksOf(fields["ulimit"]).map(({ name, soft, hard }) => ({
      Name: name,
      Soft: soft,
      Hard: hard,
    })),
    ...(str(fields["gpus"]) === "all"
      ? { DeviceRequests: [{ Driver: "", Count: -1, Capabilities: [["gpu"]] }] }
      : {}),
  };
}

/** The body of `POST /containers/create`. */
export function createBody(fields: Fields): Record<string, unknown> {
  const { Volumes } = binds(blocksOf(fields["volumes"]));
  const [check] = blocksOf(fields["healthcheck"]);
  const list = (name: string): string[] | undefined => {
    const items = texts(fields[name]);
    return items.length > 0 ? items : undefined;
  };
  const [command, entrypoint] = [list("command"), list("entrypoint")];
  return {
    Image: str(fields["image"]),
    ...orNothing("Hostname", str(fields["hostname"])),
    ...orNothing("Domainname", str(fields["domainname"])),
    ...orNothing("User", str(fields["user"])),
    ...orNothing("WorkingDir", str(fields["working_dir"])),
    ...orNothing("StopSignal", str(fields["stop_signal"])),
    ...orNothing("StopTimeout", num(fields["stop_timeout"])),
    ...(command ? { Cmd: command } : {}),
    ...(entrypoint ? { Entrypoint: entrypoint } : {}),
    Env: texts(fields["env"]),
    Labels: labelsOf(fields["labels"]),
    Tty: fields["tty"] === true,
    OpenStdin: fields["stdin_open"] === true,
    Volumes: Object.fromEntries(Volumes.map((path) => [path, {}])),
    ExposedPorts: Object.fromEntries(blocksOf(fields["ports"]).map((port) => [portName(port), {}])),
    ...(check ? { Healthcheck: health(check) } : {}),
    HostConfig: hostConfig(fields),
  };
}

/** The body of `POST /networks/{name}/connect` for a `networks_advanced` block. */
export function connectBody(containerId: string, block: Fields): Record<string, unknown> {
  const options = texts(block["driver_opts"]).map((line) => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)] as const;
  });
  return {
    Container: containerId,
    EndpointConfig: {
      Aliases: texts(block["aliases"]),
      ...orNothing("MacAddress", str(block["mac_address"])),
      ...orNothing("GwPriority", num(block["gw_priority"])),
      ...(options.length > 0 ? { DriverOpts: Object.fromEntries(options) } : {}),
      IPAMConfig: {
        ...orNothing("IPv4Address", str(block["ipv4_address"])),
        ...orNothing("IPv6Address", str(block["ipv6_address"])),
        ...(texts(block["link_local_ips"]).length > 0
          ? { LinkLocalIPs: texts(block["link_local_ips"]) }
          : {}),
      },
    },
  };
}

/** What changes by itself while a container lives. */
export function liveFields(json: unknown): Fields {
  const settings = at(json, "NetworkSettings");
  const networks = Object.entries(recordAt(settings, "Networks"));
  const state = at(json, "State");
  const running = isRecord(state) && state["Running"] === true;
  return {
    bridge: textAt(settings, "Bridge"),
    exit_code: running ? null : numberAt(state, "ExitCode"),
    network_data: networks.map(([name, network]) => ({
      gateway: textAt(network, "Gateway"),
      global_ipv6_address: textAt(network, "GlobalIPv6Address"),
      global_ipv6_prefix_length: numberAt(network, "GlobalIPv6PrefixLen"),
      ip_address: textAt(network, "IPAddress"),
      ip_prefix_length: numberAt(network, "IPPrefixLen"),
      ipv6_gateway: textAt(network, "IPv6Gateway"),
      mac_address: textAt(network, "MacAddress"),
      network_name: name,
    })),
  };
}

/** Everything that the real provider reads back where the template says nothing. */
export function filledFields(json: unknown): Fields {
  const config = at(json, "Config");
  const host = at(json, "HostConfig");
  const flag = (name: string): boolean => recordAt(host)[name] === true;
  return {
    ...liveFields(json),
    id: textAt(json, "Id"),
    command: textsAt(config, "Cmd"),
    container_logs: null,
    cpu_set: textAt(host, "CpusetCpus"),
    cpu_shares: numberAt(host, "CpuShares"),
    domainname: textAt(config, "Domainname"),
    entrypoint: textsAt(config, "Entrypoint"),
    env: textsAt(config, "Env"),
    hostname: textAt(config, "Hostname"),
    init: flag("Init"),
    ipc_mode: textAt(host, "IpcMode"),
    log_driver: textAt(host, "LogConfig", "Type"),
    max_retry_count: numberAt(host, "RestartPolicy", "MaximumRetryCount"),
    memory: numberAt(host, "Memory") / mebibyte,
    memory_reservation: numberAt(host, "MemoryReservation") / mebibyte,
    platform: textAt(json, "Platform"),
    privileged: flag("Privileged"),
    publish_all_ports: flag("PublishAllPorts"),
    runtime: textAt(host, "Runtime"),
    security_opts: textsAt(host, "SecurityOpt"),
    shm_size: numberAt(host, "ShmSize") / mebibyte,
    stop_signal: textAt(config, "StopSignal"),
    stop_timeout: numberAt(config, "StopTimeout"),
    user: textAt(config, "User"),
    userns_mode: textAt(host, "UsernsMode"),
    working_dir: textAt(config, "WorkingDir"),
  };
}
