terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
data "coder_parameter" "cpu" {
  name = "cpu"
  type = "number"
  default = 2
  mutable = true
  validation { 
    min = 1 
    max = 8 
    monotonic = "increasing"
  }
}
data "coder_parameter" "feat" {
  name = "feat"
  type = "list(string)"
  default = jsonencode(["a", "b"])
}
data "coder_parameter" "on" {
  name = "on"
  type = "bool"
  default = true
}
data "coder_workspace_preset" "p" {
  name = "P"
  parameters = { cpu = "4" }
  prebuilds { instances = 1 }
}
data "coder_workspace_tags" "t" { tags = { zone = "x", cpu = data.coder_parameter.cpu.value } }
resource "coder_agent" "main" {
  os = "linux"
  arch = "amd64"
  startup_script = <<-EOT
    %{ for f in jsondecode(data.coder_parameter.feat.value) ~}
    echo "${f}"
    %{ endfor ~}
    %{ if data.coder_parameter.on.value == "true" }on%{ else }off%{ endif }
  EOT
  display_apps { vscode = false }
  resources_monitoring {
    memory { 
      enabled = true 
      threshold = 80 
    }
    dynamic "volume" {
      for_each = ["/a", "/b"]
      content { 
        path = volume.value 
        enabled = true 
        threshold = 50 
      }
    }
  }
}
resource "terraform_data" "vm" {
  count = data.coder_workspace.me.start_count * tonumber(data.coder_parameter.cpu.value)
  input = coder_agent.main.init_script
}
resource "coder_metadata" "vm" {
  count = length(terraform_data.vm) > 0 ? 1 : 0
  resource_id = terraform_data.vm[0].id
  daily_cost = 7
  item { 
    key = "k" 
    value = null 
  }
  item { 
    key = "s" 
    value = "v" 
    sensitive = true
  }
}
resource "coder_env" "e" {
  agent_id = coder_agent.main.id
  name = "X"
  value = join(",", jsondecode(data.coder_parameter.feat.value))
}
