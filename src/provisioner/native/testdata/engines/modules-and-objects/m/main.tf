terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
variable "name" { type = string }
variable "agent_id" {}
variable "opts" {
  type = object({ extra = optional(string, "def"), n = optional(number) })
  default = {}
}
data "coder_parameter" "p" {
  name = "p-${var.name}"
  default = "v"
  option { 
    name = "V" 
    value = "v" 
  }
  option { 
    name = "W" 
    value = "w" 
  }
}
resource "coder_script" "s" {
  agent_id = var.agent_id
  display_name = var.name
  script = "echo ${data.coder_parameter.p.value} ${var.opts.extra}"
  run_on_start = true
}
resource "terraform_data" "d" {
  input = { n = var.opts.n, s = coder_script.s.id, p = data.coder_parameter.p.value }
}
output "out" { value = "${var.name}:${terraform_data.d.output.p}:${var.opts.extra}" }
