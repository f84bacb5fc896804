fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../shop.proto");
    tonic_build::configure().compile_fds(protox::compile(["shop.proto"], [".."])?)?;
    Ok(())
}
