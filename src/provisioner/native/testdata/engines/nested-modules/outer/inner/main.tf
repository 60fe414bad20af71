terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

variable "id" {}
variable "slug" {}
resource "coder_app" "app" {
  agent_id = var.id
  slug     = "s-${var.slug}"
  command  = "run"
  order    = 3
}
resource "coder_env" "e" {
  agent_id = var.id
  name     = "E_${upper(var.slug)}"
  value    = filesha256("${path.module}/f.txt")
}
output "app" { value = "${coder_app.app.slug}" }
